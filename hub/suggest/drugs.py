"""Names of drugs taken apart: substance, salt, dosage form, route; and strengths, packs and makers in one spelling.

Knows how Chinese drug names are made (salt + substance + form, 注射用 before it) and how lists write 0.25g*6片/盒.
Must not know any catalog, any learned word or any score. Rules: the naming of the Chinese Pharmacopoeia and the dosage
forms of the national insurance drug list (its chapter 凡例 groups forms of one route).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from hub.suggest.text import normalise

ORAL, TOPICAL, INJECTED = "口服", "外用", "注射"
ROUTES = (ORAL, TOPICAL, INJECTED)
"""The three routes of the Chinese lists, in the order of their spelling (kou, wai, zhu), as lists are sorted."""

_FAMILIES: tuple[tuple[str, str, str], ...] = (
    ("injection", INJECTED,
     ("注射液|注射剂|注射用|输液|粉针|冻干粉针|溶媒结晶|无菌粉末|植入剂|点刺液|注射制剂|注射溶液|"
      "浓溶液|双室袋")),
    ("eye", TOPICAL, "滴眼液|滴眼剂|眼膏|眼用|眼药水|眼药膏|眼凝胶|混眼剂|洗眼液"),
    ("nose_ear", TOPICAL, "滴鼻|鼻喷雾|鼻用|喷鼻|鼻吸入|滴耳"),
    ("inhaled", TOPICAL, "吸入|气雾|粉雾|雾化"),
    ("vaginal", TOPICAL, "阴道"),
    ("suppository", TOPICAL, "栓剂|栓"),
    ("enema", TOPICAL, "灌肠"),
    ("mouth", TOPICAL, "含漱|漱口|口腔贴|口腔溃疡|喉风散"),
    ("plaster", TOPICAL, "橡胶膏|贴膏|膏药|透皮贴|巴布膏|凝胶膏|贴剂|贴片|贴|止痛膏"),
    ("lozenge", ORAL, "含片|口含"),
    ("dispersible", ORAL, "口服混悬|干混悬|混悬滴剂|混悬液|混悬剂"),
    ("oral_liquid", ORAL, "口服溶液|口服液|合剂|口服乳|口服滴剂|糖浆|滴剂|酏剂|露剂|饮|口服用溶液|内服液|胶浆"),
    ("cream", TOPICAL, "乳膏|软膏|凝胶|霜|糊剂|乳剂|油膏|乳胶"),
    ("liniment", TOPICAL, "酊|搽剂|洗剂|涂剂|涂膜|外用溶液|外用|喷雾|洗液|擦剂|冲洗|膜剂|搽|油剂"),
    ("capsule", ORAL, "胶囊|胶丸"),
    ("granule", ORAL, "颗粒|冲剂|泡腾颗粒"),
    ("tablet", ORAL, "片"),
    ("pill", ORAL, "丸"),
    ("powder", ORAL, "散剂|散|粉剂|粉"),
    ("extract", ORAL, "煎膏|膏滋|膏"),
    ("tea", ORAL, "茶剂|茶|袋泡茶"),
    ("wine", ORAL, "酒剂|药酒|酒"),
    ("oral", ORAL, "口服制剂|口服"),
    ("solution", "", "溶液|水剂|水|液|制剂"),
)  # fmt: skip
FAMILIES = tuple(name for name, _, _ in _FAMILIES)
_FAMILY_WORDS = tuple((name, re.compile(words)) for name, _, words in _FAMILIES)
_FAMILY_ROUTE = {name: route for name, route, _ in _FAMILIES}

_HEAD = re.compile(r"^(?:注射用|吸入用|口服用|外用|鼻用|治疗用|滴眼用|阴道用|雾化吸入用)+(?=.{2})")
_KIND = (
    "薄膜衣|糖衣|肠溶|缓释|控释|分散|咀嚼|泡腾|口腔崩解|口崩|阴道膨胀|阴道泡腾|阴道|舌下|双释放|双层|"
    "口服|外用|眼用|鼻用|"
    "吸入|吸入用|雾化|干|微|滴|大蜜|小蜜|水蜜|浓缩|水|蜜|硬|软|肠溶软|无糖型|小儿用|速释|迟释|脂质体|"
    "乳状|大容量|小容量|"
    "冻干|直肠|肛门|透皮|橡胶|口腔|口溶|喷|定量|混悬|混合|注射用浓|口服用浓|浓|注射用|滴注|眼内注射|"
    "玻璃体内|痔疮|微球|脂质体"
)
_TAIL = re.compile(
    rf"(?:(?:{_KIND})*"
    r"(?:注射液|注射剂|注射制剂|口服制剂|注射乳剂|粉针剂|粉针|输液|胶囊剂|胶囊|胶丸|含片|贴片|颗粒剂|颗粒|"
    r"冲剂|丸剂|丸|片剂|片|"
    r"口服溶液剂|口服溶液|口服液|口服乳|口服滴剂|合剂|糖浆剂|糖浆|溶液剂|溶液|混悬液|混悬剂|混悬滴剂|悬液|"
    r"滴眼液|滴眼剂|"
    r"滴鼻液|滴鼻剂|滴耳液|滴耳剂|眼膏剂|眼膏|眼药水|鼻喷雾剂|喷雾剂|喷雾|喷剂|气雾剂|粉雾剂|雾化液|"
    r"乳膏剂|乳膏|软膏剂|软膏|"
    r"凝胶剂|凝胶膏|凝胶|煎膏|贴膏剂|贴膏|巴布膏|橡胶膏|膏药|乳剂|栓剂|栓|搽剂|酊剂|酊|洗剂|洗液|涂剂|"
    r"涂膜剂|灌肠液|灌肠剂|"
    r"含漱液|漱口液|膜剂|膜|散剂|散|粉剂|滴剂|贴剂|贴|植入剂|冲洗液|冲洗剂|茶剂|酒剂|制剂|乳液|溶液片|"
    r"胶浆|滴注液|外用|微球|脂质体))+$"
)

_ANIONS = (
    "盐酸|硫酸氢|硫酸|重酒石酸|酒石酸|磷酸二氢|磷酸|醋酸|乙酸|甲磺酸|甲苯磺酸|对甲苯磺酸|苯磺酸|依托考|"
    "乙磺酸|马来酸|富马酸|"
    "枸橼酸|柠檬酸|琥珀酸|氢溴酸|硝酸|草酸|乳酸|苯甲酸|丙酸|糠酸|双丙酸|戊酸|棕榈酸|水杨酸|门冬氨酸|"
    "精氨酸|碳酸|二盐酸|"
    "双羟萘酸|扑酸|羟萘酸|半水|一水|无水|复合磷酸|葡萄糖酸|乳糖酸|硬脂酸|癸酸|己酸|庚酸|十一酸|苯丙酸|"
    "异戊酸|丁酸|苹果酸|"
    "羟乙磺酸|丁二磺酸|甲硫酸|脯氨酸|苯磺|甲苯磺|棕榈酸酯|棕榈|羟苯磺酸|亚硫酸氢"
)
_ANION_HEAD = re.compile(rf"^(?:{_ANIONS})+(?![亚氢]?[钠钾钙镁锌铁铝锂铜钡铵]|胍生)(?=.{{2}})")
_ESTER_TAIL = re.compile(
    r"(?<=.{2})(?:琥珀酸|磷酸|醋酸|丙酸|双丙酸|戊酸|棕榈酸|乙酸|苯甲酸|十一酸|癸酸|庚酸|己酸|丁酸|糠酸|硫酸|盐酸|"
    r"甲磺酸|马来酸|酒石酸|富马酸|枸橼酸|氢溴酸|水合物)(?:氢|二)?(?:[钠钾钙镁]|酯二钠|酯钠|酯|二钠)?$"
)
_CATION_TAIL = re.compile(
    r"(?<=.{2})(?<![酸化氢氯])(?:二钠|三钠|单钠|钠盐|钠|二钾|钾|钙|镁|葡甲胺|葡胺|乙醇胺|氨丁三醇|精氨酸|"
    r"二铵|单铵|赖氨酸|三水合物|水合物)$"
)
_CATION_INSIDE = re.compile(r"(?<=[林坦酮肟啉南素沙])[钠钾钙](?=[一-鿿]{2})")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_VARIANTS = str.maketrans("䓬黏嗪啶噁苷癥拓", "卓粘秦定恶甙症托")
_LISTED = re.compile(r"[,/和与及或]+")
_CARRIER = re.compile(r"(?<=.{2})(?:/|钠/)?(?:\d*%?(?:氯化钠|葡萄糖|木糖醇|灭菌注射用水))+$")
_LOOSE_HEAD = re.compile(r"^(?:冻干静注|冻干|静注|小儿|儿童|消旋|浓|重组|人|聚乙二醇化)+(?=.{2})")
_LOOSE_TAIL = re.compile(
    r"(?<=.{2})(?:(?:匹|二吡呋|丁|乙|甲|异丙|新戊)?酯|(?<=酸)(?:二?[钠钾钙镁])|液|饮|露|膏|水|乳|油|酒|[sα])$"
)
_LOOSE_SIGNS = re.compile(r"[^a-zα-ω一-鿿]+")

_CLASSES: tuple[tuple[str, str], ...] = (
    ("低分子肝素|低分子量肝素",
     ("依诺肝素|那屈肝素|那曲肝素|达肝素|达特肝素|帕肝素|亭扎肝素|贝米肝素|低分子量肝素|"
      "低分子肝素")),
    ("三七皂甙|血塞通|血栓通", "血塞通|血栓通|三七总皂甙|三七皂甙|络泰|路路通"),
    ("红曲", "血脂康|脂必妥|脂必泰|红曲"),
    ("银杏叶|银杏", "银杏叶|银杏|杏灵|舒血宁|金纳多|达纳康|银杏酮酯|银杏达莫"),
    ("薯蓣皂甙", "地奥心血康|盾叶冠心宁|薯蓣皂甙|穿龙薯蓣"),
    ("虫草菌发酵|发酵虫草", "百令|金水宝|至灵|宁心宝|心肝宝|发酵冬虫夏草|发酵虫草|虫草菌"),
    ("雷公藤", "雷公藤|昆明山海棠|昆仙|火把花根"),
    ("丹参", "丹参|香丹"),
    ("开塞露", "甘油灌肠|甘油栓|开塞露"),
    ("肺表面活性", "猪肺磷脂|牛肺表面活性|肺表面活性|注射用牛肺|固尔苏"),
    ("右丙亚胺|右雷佐生", "右雷佐生|右丙亚胺"),
    ("胰岛素类似物", "门冬胰岛素|赖脯胰岛素|甘精胰岛素|地特胰岛素|谷赖胰岛素|德谷胰岛素"),
    ("人胰岛素|重组人胰岛素",
     ("生物合成人胰岛素|精蛋白生物合成人胰岛素|精蛋白人胰岛素|常规重组人胰岛素|精蛋白重组人胰岛素|"
      "低精蛋白锌胰岛素")),
    ("粒细胞刺激因子", "人粒细胞刺激因子|聚乙二醇化重组人粒细胞|培非格司亭|非格司亭"),
    ("粒细胞巨噬细胞刺激因子", "沙格司亭|人粒细胞巨噬细胞"),
    ("促红素", "人促红素|促红细胞生成素|达依泊汀|红细胞生成素"),
    ("干扰素", "干扰素"),
    ("白介素", "白细胞介素|白介素"),
    ("破伤风", "破伤风"),
    ("复方磺胺甲恶唑", "复方新诺明|复方磺胺甲恶唑"),
    ("对乙酰氨基酚|扑热息痛", "对乙酰氨基酚|扑热息痛"),
    ("小檗碱|黄连素", "小檗碱|黄连素"),
    ("细菌溶解产物", "细菌溶解产物|泛福舒|细菌溶菌产物"),
    ("培菲康|双歧杆菌", "双歧杆菌"),
    ("地衣芽孢杆菌", "整肠生|地衣芽孢杆菌"),
    ("口服补液盐", "口服补液盐"),
    ("复方氨基酸", "氨基酸注射液|复方氨基酸|肾用氨基酸|肝用氨基酸"),
    ("脑蛋白水解物", "脑蛋白水解物|脑活素"),
    ("凝血因子8", "抗血友病球蛋白|凝血因子8|冷沉淀"),
    ("异维a酸|维a酸", "维甲酸|维a酸"),
    ("埃索美拉唑|艾司奥美拉唑", "埃索美拉唑|艾司奥美拉唑|艾美拉唑"),
    ("右美托咪定", "右美托咪定"),
    ("阿法骨化醇", "阿法骨化醇|阿法骨化"),
    ("乙酰水杨酸|阿司匹林", "阿司匹林|乙酰水杨酸"),
    ("单硝酸异山梨酯", "异乐定|单硝酸异山梨酯"),
    ("去甲肾上腺素", "去甲肾上腺素"),
    ("克洛己新", "克洛己新|头孢克洛"),
)  # fmt: skip
_CLASS_WORDS = tuple((re.compile(entry), re.compile(member)) for entry, member in _CLASSES)
_ANY_CLASS = tuple(re.compile("|".join(words)) for words in zip(*_CLASSES, strict=True))


def loosen(substance: str) -> str:
    """A substance without what lists add or leave out at will: 小儿, 冻干, 重组人, esters, numbers and signs."""
    found = _LOOSE_HEAD.sub("", substance)
    found = _LOOSE_TAIL.sub("", found)
    return _LOOSE_SIGNS.sub("", found) or substance


@dataclass(frozen=True, slots=True)
class DrugName:
    """A drug's name taken apart: `bases` as written without form, `substances` without salts too; the first is the main
    one, the others are names in brackets or further names. `forms` are the families named, `route` the one they share.
    """

    bases: tuple[str, ...]
    substances: tuple[str, ...]
    forms: frozenset[str]
    route: str
    marks: str


def families(form: str) -> frozenset[str]:
    """The families of dosage forms that a text names, `片剂(薄膜衣)` -> tablet; only the first that fits per word."""
    return frozenset(filter(None, (_family(word) for word in _LISTED.split(form) if word)))


@lru_cache(maxsize=4096)
def _family(word: str) -> str:
    return next((name for name, words in _FAMILY_WORDS if words.search(word)), "")


def family_of(name: str, form: str) -> str:
    """The family of one product: from its form where that says something, else from the end of its name."""
    plain = normalise(form)
    found = _family(plain) if plain else ""
    named = _family_of_name(name)
    if found in ("", "solution", "cream", "powder", "oral_liquid", "dispersible", "tablet", "capsule") and named:
        return named if named != "solution" else found or named
    return found or named


def named_family(plain: str) -> str:
    """The family that the end (or the 注射用 before) of a normalised name says; empty where it says none."""
    return _family_of_name(plain)


def _family_of_name(plain: str) -> str:
    if plain.startswith("注射用"):
        return "injection"
    bare = _BRACKETS.sub("", plain)
    hit = _TAIL.search(bare)
    if plain.startswith(("吸入用", "外用")):
        return "inhaled" if plain.startswith("吸入") else "liniment"
    return _family(hit.group()) if hit else ""


def route_of(route: str, family: str) -> str:
    """The route as written where it is one of the three, else what the family of forms is given by."""
    for known in ROUTES:
        if known in route:
            return known
    if any(word in route for word in ("静脉", "肌内", "肌肉", "皮下", "皮内", "静滴", "静注")):
        return INJECTED
    return _FAMILY_ROUTE.get(family, "")


def spelling(plain: str) -> str:
    """A normalised name with the characters in which lists differ by habit made one (䓬 and 卓, 黏 and 粘)."""
    return plain.translate(_VARIANTS)


def strip_form(plain: str) -> str:
    """A name without 注射用 before and without its dosage form behind; never empty."""
    bare = _HEAD.sub("", plain)
    return _TAIL.sub("", bare) or bare


def strip_salt(base: str) -> str:
    """A name without the acids and metals that make a salt of a substance; never shorter than two characters."""
    found = _CATION_INSIDE.sub("", base)
    found = _ANION_HEAD.sub("", found)
    found = _ESTER_TAIL.sub("", found)
    return _CATION_TAIL.sub("", found) or base


@lru_cache(maxsize=65536)
def read_name(plain: str) -> DrugName:
    """A normalised name taken apart; brackets hold further forms, further names, or marks such as (18aa-2)."""
    plain = spelling(plain)
    outer = _BRACKETS.sub("", plain) or plain.strip("()")
    found = [strip_form(part) for part in outer.split(",") if part]
    forms = set() if len(found) > 1 or "(" in plain else set(filter(None, [_family_of_name(plain)]))
    marks = []
    for inside in _BRACKETS.findall(plain):
        words = [word for word in _LISTED.split(inside) if word]
        named = [word for word in words if _TAIL.fullmatch(word) or word in ("膏", "水", "液", "油", "酒", "粉", "茶")]
        if named and len(named) == len(words):
            forms |= {_family(word) for word in words} | {_family_of_name(outer.split(",")[0])}
        elif len(inside) >= 3 and re.fullmatch(r"[a-zα-ω一-鿿-]+", inside) and "计" not in inside:
            found.append(strip_form(inside))
        elif len(inside) == 1 and re.fullmatch(r"[一-鿿]", inside) and len(found[0]) > 1:
            found.append(found[0][:-1] + inside)
        else:
            marks.append(inside)
    found += [bare for base in found if (bare := _CARRIER.sub("", base)) != base]
    bases = tuple(dict.fromkeys(found)) or (plain,)
    route = {_FAMILY_ROUTE.get(form, "") for form in forms} - {""}
    return DrugName(
        bases=bases,
        substances=tuple(dict.fromkeys(strip_salt(base) for base in bases)),
        forms=frozenset(forms - {""}),
        route=route.pop() if len(route) == 1 else "",
        marks="".join(re.findall(r"[0-9a-z]+", " ".join(marks))),
    )


@lru_cache(maxsize=65536)
def classes_named(plain: str, *, as_entry: bool) -> frozenset[int]:
    """Which groups of the insurance list a name belongs to (`as_entry`: is the entry of), by number of the group."""
    place, text = 0 if as_entry else 1, spelling(plain)
    if not _ANY_CLASS[place].search(text):
        return frozenset()
    return frozenset(at for at, words in enumerate(_CLASS_WORDS) if words[place].search(text))


def class_entries(plain: str) -> list[str]:
    """The words under which the insurance list keeps the groups that a name belongs to."""
    return [_CLASSES[at][0].split("|")[0] for at in sorted(classes_named(plain, as_entry=False))]


_AMOUNT = re.compile(
    r"(\d+(?:\.\d+)?)(万|千|亿)?(毫克|微克|毫升|国际单位|单位|克|升|mg|ug|ng|kg|ml|miu|kiu|axaiu|iu|mmol|"
    r"mol|cm|mm|g|l|u|%)"
)
_UNIT: dict[str, tuple[str, float]] = {
    "毫克": ("m", 1.0), "mg": ("m", 1.0), "克": ("m", 1e3), "g": ("m", 1e3), "kg": ("m", 1e6),
    "微克": ("m", 1e-3), "ug": ("m", 1e-3), "ng": ("m", 1e-6),
    "毫升": ("v", 1.0), "ml": ("v", 1.0), "升": ("v", 1e3), "l": ("v", 1e3),
    "国际单位": ("u", 1.0), "单位": ("u", 1.0), "iu": ("u", 1.0), "axaiu": ("u", 1.0), "u": ("u", 1.0),
    "kiu": ("u", 1e3), "miu": ("u", 1e6), "%": ("p", 1.0), "mmol": ("n", 1.0), "mol": ("n", 1e3),
    "cm": ("c", 10.0), "mm": ("c", 1.0),
}  # fmt: skip
_TIMES = {"": 1.0, "千": 1e3, "万": 1e4, "亿": 1e8}
_COUNTED = re.compile(
    r"(?<![\d.a-z])(\d+)\s*(片|粒|支|瓶|袋|丸|贴|枚|盒|板|包|套|喷|揿|吸|泡|块|条|个|罐|桶|只|张|锭|s)"
)


@lru_cache(maxsize=65536)
def strengths(spec: str) -> frozenset[str]:
    """The amounts that a specification names, in milligrams, millilitres, units, percent: 0.25g and 250mg are one."""
    found = set()
    for number, times, unit in _AMOUNT.findall(normalise(spec)):
        kind, factor = _UNIT[unit]
        found.add(f"{kind}{float(number) * _TIMES[times] * factor:.6g}")
    return frozenset(found)


@lru_cache(maxsize=65536)
def pack_count(package: str) -> int:
    """How many pieces a package holds (`0.25g*6片/盒` -> 6, `10ml*5支*2盒` -> 10); 0 where it does not say."""
    tail = normalise(package).partition("*")[2] or normalise(package)
    total = 1
    counted = [int(number) for number, _ in _COUNTED.findall(re.sub(r"\([^()]*\)", "", tail))]
    for number in counted:
        total *= max(number, 1)
    return min(total, 10**6) if counted else 0


_MAKER = re.compile(
    r"有限责任公司|股份有限公司|有限公司|总公司|公司|集团|股份|制药|药业|医药|药厂|制药厂|厂|科技|实业|"
    r"生物|化学|国药|[()·,. ]|co|ltd|inc|gmbh"
)


@lru_cache(maxsize=16384)
def maker_core(maker: str) -> str:
    """A maker's name without the words that every maker has."""
    plain = normalise(maker)
    return _MAKER.sub("", plain) or plain
