"""Names told in the words of the insurance version: one word for each thing, and little words left out.

Knows pairs of words that coders treat as one. Must not know any decided mapping.
Rules: general medical vocabulary, written from knowledge: outdated and present names (搭桥 for 旁路移植), spoken and
written forms (房颤), eponyms in their two spellings, germs after the revised taxonomy.
"""

from __future__ import annotations

import re

import numpy as np
from rapidfuzz import distance, process

from hub.suggest.parts import Part
from hub.suggest.retrieval import Index
from hub.suggest.rows import Decided, Rows
from hub.suggest.text import Floats, Ints, pick

WIDTH = 25
"""Candidates looked up by the wording of a query."""

ONE_WORD = """
综合征 综合症 症候群
压疮 褥疮 压力性损伤
脓毒症 败血症 脓毒血症 菌血症
脓毒休克 感染中毒休克 感染休克 中毒休克
心房颤动 心房纤颤 房颤 心房纤维颤动
心室颤动 心室纤颤 室颤
期前收缩 过早搏动 早搏
传导阻滞 半传导阻滞
梗死 梗塞
心肌梗死 心梗
旁路移植 搭桥 架桥
植入 置入 放置 安装
关闭不全 闭锁不全 闭合不全
反流 返流 逆流
粥样硬化 斑块 硬化斑块
肿物 占位病变 占位 包块 肿块 新生物
动态未定肿瘤 动态未定或动态未知肿瘤 交界肿瘤 质未定肿瘤 交界恶肿瘤
功能亢进 机能亢进 亢进
功能减退 机能减退 功能低下 功能不足
功能障碍 机能障碍
2糖尿病 非胰岛素依赖糖尿病
1糖尿病 胰岛素依赖糖尿病
冠状动脉粥样硬化心脏病 冠状动脉心脏病 冠心病
慢阻塞肺疾病 慢阻肺 慢阻塞肺
上呼吸道感染 上感
腐蚀伤 化学烧伤
烧伤 灼伤 烫伤
撕裂伤 挫裂伤 裂伤 撕脱伤
瘢痕 疤痕
黏 粘
牙 齿
龋 蛀牙
瘘 瘘管 漏 窦道
痔 痔疮
前列腺增生 前列腺肥大 前列腺良增生
平滑肌瘤 肌瘤
子宫颈 宫颈
异位妊娠 宫外孕
医疗流产 人工流产 药物流产
唐氏综合征 先天愚 21三体综合征
发育不良 发育不全 发育异常
脱离 剥离
听力损失 耳聋 听觉丧失 听力减退
鼻窦 鼻旁窦 副鼻窦
扁桃体 扁桃腺
梅尼埃 美尼尔
霍奇金 何杰金
朗格汉斯 朗格罕
贝赫切特 白塞 贝切特 behcet
克罗恩 克隆 crohn
干燥综合征 舍格伦综合征 sjogren综合征
念珠菌 假丝酵母菌
铜绿假单胞菌 绿脓杆菌
沙门菌 沙门氏菌
大肠埃希菌 大肠杆菌
人类免疫缺陷病毒 艾滋 爱滋 hiv
乙肝炎 乙肝 乙病毒肝炎
丙肝炎 丙肝 丙病毒肝炎
病毒肝炎 肝炎病毒感染
肾衰竭 肾功能衰竭 肾功能不全 肾衰
慢肾衰竭 尿毒 肾终末期
心力衰竭 心功能不全 心功能衰竭 心衰
呼吸衰竭 呼吸功能衰竭 呼衰
骨关节炎 骨关节
退行 退变 退行变 退行病变 肥大
坏死 无菌坏死 缺血坏死
囊 囊肿
嗜中粒 嗜中
动脉瘤 动脉瘤样扩张
血栓 血栓形成
狭窄 缩窄
增生 增多 肥厚
脂肪堆积 脂肪增多
自主神经 植物神经
恶肿瘤 癌
脑出血 脑溢血
腹股沟疝 腹股沟斜疝
肺炎 肺部感染
肝硬化 肝硬变
窒息 缺氧
颅脑损伤 脑外伤 颅脑外伤
挫伤 软组织损伤 软组织挫伤
文身 纹身
甲 指甲 趾甲 爪甲
切除 摘除 剔除 剥除
修补 修复
闭合 还纳 回纳
造口 造瘘
成形 整形 重建
取出 去除 拆除 取除
内镜 内窥镜 纤维镜
经皮 穿刺
活检 活组织检查 活体组织检查
病损 肿瘤 病灶
"""
"""Each line is one thing; the first word stands for the others. Words are written without the little words below."""

LITTLE = re.compile(
    "[的性型症病部类处等为及和与伴]|有(?=[^害])|合并|并发|其他|特指|未特指|疾患|疾病|不可归类在他处者|nos|nec"
)


def told(core: str) -> str:
    """A name in the core spelling without little words."""
    return LITTLE.sub("", core)


def _table() -> tuple[re.Pattern[str], dict[str, str]]:
    lines = [[told(word) or word for word in line.split()] for line in ONE_WORD.split("\n") if line.strip()]
    usual = {word: line[0] for line in lines for word in line[1:] if word != line[0]}
    # A word that stands for others is left alone where it begins one of them: 肾衰竭 is not 肾衰 with 竭 behind it.
    every = {word: word for line in lines for word in line[:1]} | usual
    return re.compile("|".join(sorted(map(re.escape, every), key=lambda word: (-len(word), word)))), every


_WORDS, _USUAL = _table()


def usual_wording(core: str) -> str:
    """A name in the core spelling as it would be told in the usual words; the name itself where nothing is left."""
    return _WORDS.sub(lambda hit: _USUAL[hit.group()], told(core)) or core


class Wording(Part):
    """How alike two names are once both are told in the usual words."""

    names = ("wording_cosine", "wording_query_covered", "wording_covered", "wording_edit", "wording_same")

    def __init__(self, candidates: Rows, decided: Decided | None = None) -> None:  # noqa: ARG002 - a Maker takes both.
        self._texts = [usual_wording(core) for core in candidates.core]
        self._index = Index(self._texts)

    def pairs(self, queries: Rows) -> tuple[Ints, Ints]:
        places, _ = self._index.search([usual_wording(core) for core in queries.core], top=WIDTH)
        row, rank = np.nonzero(places >= 0)
        return row, places[row, rank]

    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        if not len(q_idx):
            return found
        texts = [usual_wording(core) for core in queries.core]
        vectors, norms = self._index.vectors(texts)
        cosine = self._index.similarity(vectors, q_idx, c_idx)
        ratio = self._index.norms[c_idx] / norms[q_idx]
        mine, theirs = pick(texts, q_idx), pick(self._texts, c_idx)
        found[:, 0] = cosine
        found[:, 1] = cosine * ratio
        found[:, 2] = cosine / ratio
        found[:, 3] = process.cpdist(
            mine, theirs, scorer=distance.Indel.normalized_similarity, dtype=np.float32, workers=1
        )
        found[:, 4] = [one == other for one, other in zip(mine, theirs, strict=True)]
        return found
