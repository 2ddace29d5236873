"""What codes of the trade are called on a page: categories, states, funds, and why something was refused.

Knows pairs of words, Chinese first. Must not know pages or rules: which evidence a category takes is asked of the core.
Names of categories: domain-process section 4.1; names of funds and types: the national interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from hub.actions.rendering import PAYMENT_NOTICE, RECEIPT_NOTICE, STATEMENT
from hub.core.bill import BillState
from hub.core.catalog import HospitalLevel
from hub.core.classification import OUTCOME_WORDS
from hub.core.clearing import WindowState
from hub.core.codes import CatalogKind, Fund, InsuranceType, Regime
from hub.core.decision import Payer
from hub.core.ledger import Event
from hub.core.matching import BreakCause
from hub.core.netting import NetMethod
from hub.core.registration import AccessBasis, Evidence, Registration, RegistrationCategory, RegistrationState

__all__ = ["OUTCOME_WORDS", "registration_state"]

Pair = tuple[str, str]

CATEGORY: Mapping[RegistrationCategory, Pair] = {
    RegistrationCategory.RETIRED_SETTLED: ("异地安置退休人员", "Retired and settled elsewhere"),
    RegistrationCategory.LONG_TERM_RESIDENT: ("异地长期居住人员", "Long-term resident elsewhere"),
    RegistrationCategory.POSTED_WORKER: ("常驻异地工作人员", "Posted to work elsewhere"),
    RegistrationCategory.REFERRED: ("异地转诊就医人员", "Referred by a hospital"),
    RegistrationCategory.EMERGENCY: ("异地急诊抢救人员", "Emergency rescue"),
    RegistrationCategory.OTHER_TEMPORARY: ("其他临时外出就医人员", "Other temporary stay"),
}

CATEGORY_HINT: Mapping[RegistrationCategory, Pair] = {
    RegistrationCategory.RETIRED_SETTLED: (
        "退休后在就医地定居，户口已迁入或长期居住",
        "You retired and have settled in the place of care",
    ),
    RegistrationCategory.LONG_TERM_RESIDENT: (
        "在就医地长期居住生活，例如随子女居住",
        "You live in the place of care for long, for example with your children",
    ),
    RegistrationCategory.POSTED_WORKER: (
        "被用人单位长期派驻到就医地工作",
        "Your employer has posted you to the place of care",
    ),
    RegistrationCategory.REFERRED: (
        "参保地定点医院已开具转诊证明",
        "A hospital named by your insured place has given you a referral",
    ),
    RegistrationCategory.OTHER_TEMPORARY: (
        "出差、旅游、探亲期间，或自行前往外地就医",
        "You fall ill on a trip or a visit, or go elsewhere by your own choice",
    ),
}

EVIDENCE: Mapping[Evidence, Pair] = {
    Evidence.NONE: ("无需证明材料", "No papers needed"),
    Evidence.PROMISE: ("个人承诺", "Personal promise"),
    Evidence.PAPERS: ("证明材料", "Papers"),
    Evidence.REFERRAL_CERTIFICATE: ("转诊证明", "Referral certificate"),
}

EVIDENCE_HINT: Mapping[Evidence, Pair] = {
    Evidence.PROMISE: (
        "暂时没有材料时选择。承诺内容属实，之后向参保地补交材料。",
        "Choose this if you have no papers at hand. You promise that your answers are true; the papers follow.",
    ),
    Evidence.PAPERS: (
        "户口簿、居住证、派驻函或劳动合同等任意一项，由参保地经办机构核对原件。",
        "Any one: household page, residence permit, posting letter, labour contract. Your agency checks the original.",
    ),
    Evidence.REFERRAL_CERTIFICATE: (
        "由参保地指定的定点医院开具，就医时请随身携带。",
        "Issued by a hospital that your insured place has named. Take it with you.",
    ),
}

INSURANCE_TYPE: Mapping[str, Pair] = {
    InsuranceType.EMPLOYEE: ("职工医保", "Employees"),
    InsuranceType.RESIDENT: ("居民医保", "Residents"),
}

FUND: Mapping[str, Pair] = {
    Fund.EMPLOYEE_BASIC: ("职工基本医保统筹基金", "Employees' basic fund"),
    Fund.EMPLOYEE_LARGE_AMOUNT: ("职工大额医疗费用补助", "Employees' large-amount fund"),
    Fund.RESIDENT_BASIC: ("居民基本医保统筹基金", "Residents' basic fund"),
    Fund.RESIDENT_OUTPATIENT: ("居民门诊统筹", "Residents' outpatient fund"),
    Fund.RESIDENT_CATASTROPHIC: ("城乡居民大病保险", "Residents' catastrophic fund"),
    Fund.RESIDENT_SUPPLEMENTARY: ("居民大病补充保险", "Residents' supplementary fund"),
    Fund.RESIDENT_ACCIDENT: ("居民意外伤害基金", "Residents' accident fund"),
    Fund.ASSISTANCE: ("医疗救助基金", "Medical assistance"),
}

REGIME: Mapping[str, Pair] = {
    Regime.CROSS_PROVINCE: ("跨省", "Across provinces"),
    Regime.WITHIN_PROVINCE: ("省内跨市", "Within a province"),
}

LEVEL: Mapping[str, Pair] = {
    HospitalLevel.LEVEL_1: ("一级", "Level 1"),
    HospitalLevel.LEVEL_2: ("二级", "Level 2"),
    HospitalLevel.LEVEL_3: ("三级", "Level 3"),
}

BASIS: Mapping[str, Pair] = {
    AccessBasis.LONG_TERM: ("长期居住备案", "Long-term registration"),
    AccessBasis.REFERRED: ("转诊备案", "Referral"),
    AccessBasis.EMERGENCY: ("急诊抢救（视同已备案）", "Emergency (deemed registered)"),
    AccessBasis.TEMPORARY: ("临时外出备案", "Temporary registration"),
    AccessBasis.UNREGISTERED: ("未备案", "Not registered"),
}

PAYER: Mapping[str, Pair] = {
    Payer.FUND: ("基金", "Fund"),
    Payer.PERSON: ("个人", "Patient"),
    Payer.HOSPITAL: ("医院", "Hospital"),
}

BILL_STATE: Mapping[str, tuple[Pair, str]] = {
    BillState.RECEIVED: (("处理中", "In progress"), "wait"),
    BillState.CODED: (("处理中", "In progress"), "wait"),
    BillState.DECIDED: (("处理中", "In progress"), "wait"),
    BillState.POSTED: (("已结算", "Settled"), "good"),
    BillState.CANCELLED: (("已冲销", "Cancelled"), "off"),
}

WINDOW_STATE: Mapping[str, tuple[Pair, str]] = {
    WindowState.OPEN: (("开放记账", "Open"), "wait"),
    WindowState.CUT: (("已截账", "Cut"), "wait"),
    WindowState.GROSSED: (("已出总额", "Gross matrix made"), "wait"),
    WindowState.NETTED: (("已轧差", "Netted"), "wait"),
    WindowState.CLOSED: (("已关闭", "Closed"), "good"),
}

EVENT: Mapping[str, Pair] = {
    Event.SETTLED: ("结算", "Settled"),
    Event.CANCELLED: ("冲销", "Cancelled"),
    Event.CLEARED: ("清算", "Cleared"),
}

BREAK: Mapping[str, Pair] = {
    BreakCause.MISSING_AT_HUB: ("平台无此笔", "Missing at the hub"),
    BreakCause.MISSING_AT_CARE: ("医院无此笔", "Missing at the hospital"),
    BreakCause.MISSING_AT_INSURING: ("参保地无此笔", "Missing at the insured place"),
    BreakCause.TOTAL_DIFFERS: ("总额不一致", "Totals differ"),
    BreakCause.FUND_DIFFERS: ("基金额不一致", "Fund amounts differ"),
}

KIND: Mapping[str, Pair] = {
    CatalogKind.DRUG: ("药品", "Drug"),
    CatalogKind.HERBAL: ("中药饮片", "Herbal"),
    CatalogKind.PREPARATION: ("医院制剂", "Preparation"),
    CatalogKind.SERVICE: ("医疗服务", "Service"),
    CatalogKind.FACILITY: ("服务设施", "Facility"),
    CatalogKind.CONSUMABLE: ("医用耗材", "Consumable"),
}

LAYER: Mapping[str, Pair] = {
    "catalog": ("就医地目录", "Care-place catalog"),
    "basic": ("基本医保", "Basic"),
    "supplementary": ("补充保险", "Supplementary"),
    "large_amount": ("大额补助", "Large amount"),
    "catastrophic": ("大病保险", "Catastrophic"),
    "assistance": ("医疗救助", "Assistance"),
}
"""Names of a policy's layers; a policy may have others, which are shown as it names them."""

PARAMETER: Mapping[str, Pair] = {
    "full_self_pay": ("全自费", "Fully self-paid"),
    "over_limit": ("超限价自费", "Above the price limit"),
    "first_self_pay": ("先行自付", "First self-pay"),
    "deductible": ("起付标准", "Deductible"),
    "segment": ("支付比例", "Rate of the segment"),
    "remainder": ("按比例自付", "Remainder"),
    "cap": ("最高支付限额", "Cap"),
}

METHOD: Mapping[str, Pair] = {
    NetMethod.BILATERAL: ("双边轧差", "Bilateral"),
    NetMethod.MULTILATERAL: ("多边轧差", "Multilateral"),
}

FILE: Mapping[str, Pair] = {
    STATEMENT: ("对账单", "Statement"),
    PAYMENT_NOTICE: ("付款通知", "Payment notice"),
    RECEIPT_NOTICE: ("收款通知", "Receipt notice"),
}

ROLE: Mapping[str, Pair] = {
    "agency": ("经办人员", "Agency officer"),
    "operator": ("平台运营", "Hub operator"),
}

REFUSAL: Mapping[str, Pair] = {
    "person_unknown": (
        "所选参保地查不到这位参保人。请核对姓名、证件号码和参保地后重试。",
        "The insured place knows no such person. Check the name, the identity number and the insured place.",
    ),
    "insurance_not_active": (
        "您的医保目前不是正常参保状态。请先联系参保地医保经办机构，或拨打 12393。",
        "Your insurance is not active. Ask the agency of your insured place first, or call 12393.",
    ),
    "registration_not_off_site": (
        "就医地在参保地之内，不需要备案，持医保凭证直接就医即可。",
        "The place of care lies inside the insured place. You need no registration there.",
    ),
    "registration_emergency_not_filed": (
        "急诊抢救不需要备案，医院会在入院时登记，视同已备案。",
        "An emergency need not be filed: the hospital flags it and it counts as registered.",
    ),
    "registration_overlap": (
        "您在该就医地已有一份未结束的备案。请用备案编号查询，如需重新办理请先撤销原备案。",
        "You already have a registration for this place. Look it up by its reference number, or cancel it first.",
    ),
    "registration_start_past": (
        "开始日期不能早于今天。请填写今天或以后的日期。",
        "The start cannot lie before today. Give today or a later day.",
    ),
    "registration_start_far": (
        "开始日期最多可提前六个月办理。请填写六个月以内的日期。",
        "The start may lie at most six months ahead. Give an earlier day.",
    ),
    "registration_evidence": (
        "该备案类别不接受所选的证明方式，请重新选择。",
        "This category does not accept the evidence chosen. Choose again.",
    ),
    "region_not_joined": (
        "该参保地尚未接入本平台，请联系参保地医保经办机构。",
        "This insured place has not joined the hub. Ask its agency.",
    ),
    "four_eyes": (
        "这份备案由您本人录入，须由其他同事审核。",
        "You entered this registration yourself: a colleague has to decide it.",
    ),
    "reason_missing": (
        "不予通过时必须写明理由，让申请人知道怎样补正。",
        "A refusal needs a reason that tells the applicant how to mend it.",
    ),
    "registration_move_not_allowed": (
        "这份备案的状态已经改变，请刷新后查看。",
        "This registration has changed meanwhile. Look at its present state.",
    ),
    "text_hidden_character": (
        "文字中含有不可见的控制字符，请手工重新输入。",
        "The text holds invisible characters. Type it in again.",
    ),
    "text_too_long": ("文字过长，请缩短。", "The text is too long. Shorten it."),
    "text_empty": ("请填写文字。", "Write something."),
    "name_malformed": (
        "姓名至少两个字，不含数字和符号。请按身份证件上的姓名填写。",
        "A name has at least two letters and no digits. Write it as on your identity card.",
    ),
    "identity_malformed": (
        "身份证号码应为 18 位：17 位数字加 1 位数字或字母 X。请核对后重新填写。",
        "An identity number has 18 characters: 17 digits, then a digit or X. Check and type it again.",
    ),
    "identity_region": (
        "身份证号码前两位不是有效的省级代码。请核对号码开头。",
        "The first two digits name no province. Check the beginning of the number.",
    ),
    "identity_birth": (
        "身份证号码第 7 至 14 位不是有效的出生日期。请核对这几位数字。",
        "Digits 7 to 14 are not a date of birth. Check these digits.",
    ),
    "identity_check": (
        "身份证号码的校验位不符，可能有一位输错。请对照证件逐位核对。",
        "The last character does not fit the others: one may be mistyped. Compare each with your card.",
    ),
    "phone_malformed": (
        "手机号码应为 11 位数字，以 13 至 19 开头。请核对后重新填写。",
        "A mobile number has 11 digits and begins with 13 to 19. Check and type it again.",
    ),
    "day_malformed": (
        "这不是有效的日期。请按“2026-11-22”的格式填写。",
        "This is no day. Write it like 2026-11-22.",
    ),
}


def registration_state(found: Registration, *, on: date) -> tuple[Pair, str]:
    """The state of a registration as its holder reads it on a day, and its tone: good, wait, bad or off."""
    if found.state is RegistrationState.SUBMITTED:
        return ("待受理", "Waiting for review"), "wait"
    if found.state is RegistrationState.REFUSED:
        return ("未通过", "Not approved"), "bad"
    if found.state is not RegistrationState.APPROVED:
        return ("已撤销", "Cancelled"), "off"
    if on < found.span.start:
        return ("已通过", "Approved"), "good"
    if on in found.span:
        return ("生效中", "In force"), "good"
    return ("已到期", "Expired"), "off"
