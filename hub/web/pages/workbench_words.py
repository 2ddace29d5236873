"""What the mapping workbench calls things: outcomes, grades, states, classes, facts, and why a change was refused.

Knows pairs of words, Chinese first. Must not know pages or rules.
Names of grades and outcomes: domain-process section 6.3; names of columns: the national queries 1301 to 1306.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.core.catalog import BenefitClass
from hub.core.classification import LineOutcome
from hub.core.codes import BILLABLE_KINDS, Sex
from hub.core.mapping import ChangeState, Grade, Origin
from hub.web.pages.words import KIND, Pair

KINDS: Mapping[str, Pair] = {kind.value: KIND[kind] for kind in BILLABLE_KINDS}
"""What a fee line can name, in the order in which lists offer it."""

OUTCOME: Mapping[str, tuple[Pair, str]] = {
    LineOutcome.UNKNOWN_CODE: (("目录外编码", "Not in the catalog"), "bad"),
    LineOutcome.STRUCK_OFF: (("已调出目录", "Struck off"), "bad"),
    LineOutcome.UNMAPPED: (("尚未对应", "Not mapped"), "wait"),
    LineOutcome.MAPPED_TOO_BROADLY: (("对应过宽", "Mapped too broadly"), "wait"),
}
"""Why a row waits, in a word or two, with its tone."""

GRADE: Mapping[str, Pair] = {
    Grade.EXACT: ("完全一致", "Exact"),
    Grade.NARROWER: ("国家项目范围更窄", "National entry is narrower"),
    Grade.BROADER: ("国家项目范围更宽", "National entry is broader"),
    Grade.PARTIAL: ("部分重合", "Partly the same"),
    Grade.NONE: ("没有对应", "No counterpart"),
}

GRADE_HINT: Mapping[str, Pair] = {
    Grade.EXACT: ("两者指同一事物，按国家编码支付", "Both mean the same: paid under the national code"),
    Grade.NARROWER: ("国家项目含于本地项目，可以支付", "The national entry lies within the local one: paid"),
    Grade.BROADER: ("国家项目包含本地项目以外的内容，不予支付", "The national entry holds more: not paid"),
    Grade.PARTIAL: ("各有对方没有的内容，不予支付", "Each holds what the other does not: not paid"),
    Grade.NONE: ("国家目录没有这一项，不予支付", "The national list has no such entry: not paid"),
}

ORIGIN: Mapping[str, Pair] = {
    Origin.IMPORTED: ("地区文件", "From the region's file"),
    Origin.SUGGESTED: ("系统候选", "From a candidate"),
    Origin.MANUAL: ("人工检索", "From a search"),
}

STATE: Mapping[str, tuple[Pair, str]] = {
    ChangeState.PROPOSED: (("待复核", "Waiting for review"), "wait"),
    ChangeState.IN_FORCE: (("已生效", "In force"), "good"),
    ChangeState.REJECTED: (("未通过", "Rejected"), "bad"),
    ChangeState.WITHDRAWN: (("已撤回", "Withdrawn"), "off"),
    ChangeState.UNDO_PROPOSED: (("待复核撤销", "Undo waits for review"), "wait"),
    ChangeState.UNDONE: (("已撤销", "Undone"), "off"),
}

MOVE: Mapping[str, Pair] = {
    "": ("提出", "Proposed"),
    "proposed": ("提出", "Proposed"),
    "approved": ("复核通过", "Approved"),
    "rejected": ("复核不通过", "Rejected"),
    "withdrawn": ("撤回", "Withdrawn"),
    "undo_proposed": ("提出撤销", "Undo proposed"),
    "undone": ("撤销通过", "Undo approved"),
    "undo_refused": ("撤销不通过", "Undo rejected"),
}
"""Events of a change's history."""

BENEFIT_CLASS: Mapping[str, Pair] = {
    BenefitClass.A: ("甲类", "Class A"),
    BenefitClass.B: ("乙类", "Class B"),
    BenefitClass.C: ("丙类", "Class C"),
}

SEX: Mapping[str, Pair] = {
    Sex.MALE: ("男", "Male"),
    Sex.FEMALE: ("女", "Female"),
}

FACT: Mapping[str, Pair] = {
    "name": ("名称", "Name"),
    "code": ("编码", "Code"),
    "unit": ("计价单位", "Unit"),
    "dosage_form": ("剂型", "Dosage form"),
    "spec": ("规格", "Strength"),
    "package": ("包装", "Package"),
    "route": ("给药途径", "Route"),
    "manufacturer": ("生产企业", "Manufacturer"),
    "approval_no": ("批准文号", "Approval number"),
    "listed_price_yuan": ("挂网价（元）", "Listed price (yuan)"),
    "content": ("项目内涵", "Content"),
    "exclusions": ("除外内容", "Exclusions"),
    "remark": ("说明", "Remark"),
    "insurance_class": ("国家目录类别", "Class of the national list"),
    "standard": ("标准依据", "Standard"),
    "class_code": ("分类码", "Class code"),
    "generic_code": ("通用名码", "Generic code"),
    "generic_form_code": ("通用名剂型码", "Code of generic and form"),
    "sources": ("见于", "Found in"),
    "is_national": ("国家项目", "National item"),
    "level": ("层级", "Level"),
    "material": ("材质", "Material"),
    "model": ("型号", "Model"),
}
"""Columns of local and unified entries; others are shown under their own names."""

SAME_PERSON: Pair = (
    "这是您本人提出的，须由另一位同事复核（四眼原则）。",
    "You proposed this yourself: a colleague has to review it.",
)

REFUSED: Mapping[str, Pair] = {
    "same_person": SAME_PERSON,
    "number_malformed": ("请填写数字，例如 12.50。", "Write a number, like 12.50."),
    "whole_number_malformed": ("请填写整数，并在合理范围内。", "Write a whole number within a sensible range."),
    "rate_above_one": ("比例不能超过 100%。", "A ratio is at most 100 %."),
    "diagnoses_malformed": (
        "请填写诊断编码的开头，多个之间用空格分开，例如 C34 I21.9。",
        "Write beginnings of diagnosis codes with blanks between, like C34 I21.9.",
    ),
    "condition_ages": ("起始年龄不能大于终止年龄。", "The first age is above the last."),
    "restriction_ages": ("起始年龄不能大于终止年龄。", "The first age is above the last."),
    "restriction_days": ("疗程至少一天。", "A course has at least one day."),
    "class_a_self_pay": (
        "甲类没有先行自付，请把各项先行自付比例填 0 或改选乙类。",
        "Class A has no first self-pay: write 0 for each ratio, or choose class B.",
    ),
    "grace_span": (
        "过渡期从停止执行之日起算：请先填写停止日期，过渡期截止日须更晚。",
        "Grace begins on the day the entry ends: give that day, and a later one for the end of the grace.",
    ),
    "mapping_kind": ("类别不同，不能对应。", "The kinds differ: they cannot be mapped."),
    "mapping_span": ("停止执行的日期须晚于开始执行的日期。", "The last day must come after the first."),
    "span_empty": ("停止执行的日期须晚于开始执行的日期。", "The last day must come after the first."),
    "entry_span": ("停止执行的日期须晚于开始执行的日期。", "The last day must come after the first."),
    "target_unknown": (
        "最新的国家目录里没有这个编码，请从候选或检索结果中选择。",
        "The newest national list has no such code: choose a candidate or search.",
    ),
    "target_not_active": (
        "这个国家编码已停用，或只是分类标题，请另选一个。",
        "This national code is withdrawn or only a heading: choose another.",
    ),
    "mapping_overlaps": (
        "同一时间已有另一条对应，条件可能同时满足。请收窄条件，使同一个人只符合一条。",
        "Another mapping holds then, and one person can meet both conditions: narrow them.",
    ),
    "code_unknown": (
        "本地目录和未关闭的结算单里都没有这个编码。",
        "Neither the region's catalog nor an open bill has this code.",
    ),
    "first_day_too_early": (
        "开始日期太早：更早的结算已经关闭，不再改变。请填写提示中的最早日期或以后的日期。",
        "The first day is too early: bills before it are closed. Give the earliest day shown or a later one.",
    ),
    "entry_struck_off": (
        "这个条目在那一天以前已调出目录，请写明新内容执行到哪一天。",
        "The entry was struck off before that day: say until when the new one holds.",
    ),
    "ratio_missing": ("改变类别时请同时填写先行自付比例。", "A new class needs its first self-pay ratio."),
    "entry_same": (
        "内容与那一天的现行条目完全一样，没有需要变更的地方。",
        "Nothing would be otherwise than in the entry that holds on that day.",
    ),
    "entry_incomplete": ("目录里还没有这个条目，请填写此项。", "The catalog has no such entry yet: fill this in."),
    "entry_missing": (
        "目录里还没有这个条目，请先用“修改类别、比例和限价”补上条目。",
        "The catalog has no entry of this code: propose the entry first.",
    ),
    "mapping_grade": ("没有国家编码时，对应程度只能是“没有对应”。", "Without a target the grade is 'no counterpart'."),
    "change_waits": (
        "这个编码已有一条建议在等待复核，请先复核它。",
        "A proposal of this code waits for review already: review that one first.",
    ),
    "catalog change_move_not_allowed": (
        "这条变更刚刚被别人处理过，请看下面的最新状态。",
        "Somebody has decided this change meanwhile: see its present state below.",
    ),
    "change_is_over": ("这条变更已经办结。", "This change is over."),
    "not_the_proposer": (
        "只有提出的人能撤回；您可以写明理由后不予通过。",
        "Only who proposed it takes it back: reject it with a reason instead.",
    ),
    "reason_missing": (
        "请写明理由，让提出的同事知道怎样改。",
        "Give a reason that the colleague can act on.",
    ),
}
"""Refusals in the words of the workbench; others stand in the table of all pages."""

REFUSED_AT: Mapping[str, str] = {
    "condition_ages": "age_to",
    "restriction_ages": "age_to",
    "restriction_days": "most_days",
    "class_a_self_pay": "first_self_pay",
    "grace_span": "grace_until",
    "mapping_kind": "target",
    "mapping_span": "valid_until",
    "span_empty": "valid_until",
    "reason_missing": "reason",
    "entry_same": "valid_from",
}
"""The field of each refusal that is about one field."""

FIELD_OF: Mapping[str, str] = {
    "first_day": "valid_from",
    "until": "valid_until",
    "condition": "sex",
    "score": "target",
    "code": "form",
}
"""The field of a form for a field of a command, where they are called otherwise."""
