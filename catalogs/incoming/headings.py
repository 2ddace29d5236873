"""Which of our columns a heading means: our own names, the national names in both languages, known misspellings.

Knows tables of names, compared to the letter. Must not guess: a heading that is in no table is a fault with its place.
Sources: national-interface section 9 (field dictionary) and section 8 rows 7 and 8; domain-process section 6.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.core.errors import Fault

MISSPELT = {
    "mdtrtarea_admvs": "mdtrtarea_admdvs",
    "dscg_dept_code": "dscg_dept_codg",
    "main_cond_desc": "main_cond_descr",
    "expcontent": "exp_content",
    "exept_cont": "exct_cont",
    "dld_endtime": "dld_end_time",
    "valiflag": "vali_flag",
}
"""National identifiers as printed or sent elsewhere, and the right ones. Upper and lower case are the same in all of
them (REFD_SETL_FLAG, Vali_Flag)."""

CHINESE = {
    "医疗目录编码": "med_list_codg",
    "医保目录编码": "hilist_code",
    "医保目录名称": "hilist_name",
    "参保机构医保区划": "insu_admdvs",
    "收费项目等级": "chrgitm_lv",
    "医疗收费项目类别": "med_chrgitm_type",
    "限制使用标志": "lmt_used_flag",
    "目录类别": "list_type",
    "医疗使用标志": "med_use_flag",
    "生育使用标志": "matn_used_flag",
    "医保目录使用类别": "hilist_use_type",
    "限复方使用类型": "lmt_cpnd_type",
    "开始日期": "begndate",
    "结束日期": "enddate",
    "有效标志": "vali_flag",
    "备注": "memo",
    "统筹区": "poolarea_no",
    "医保目录限价类型": "hilist_lmtpric_type",
    "医保目录超限处理方式": "overlmt_dspo_way",
    "医保目录定价上限金额": "hilist_pric_uplmt_amt",
    "医保目录自付比例人员类别": "selfpay_prop_psn_type",
    "目录自付比例类别": "selfpay_prop_type",
    "自付比例": "selfpay_prop",
    "医药机构目录编码": "medins_list_codg",
    "定点医药机构编号": "fixmedins_code",
}
"""Names of the field dictionary in Chinese, and the identifiers that they belong to."""


def our_columns(
    found: Sequence[str], *, required: Sequence[str], optional: Sequence[str], renamed: Mapping[str, str], where: str
) -> tuple[list[str | None], list[Fault]]:
    """For each heading the column it means, None for one that was declared as left out; and the faults.

    `renamed` is what a person declared for this file (theirs to ours; empty to leave a column out) and comes first.
    """
    known = {*required, *optional}
    columns: list[str | None] = []
    faults: list[Fault] = []
    met: dict[str, int] = {}
    for number, heading in enumerate(found, start=1):
        column = _column(heading, known, renamed)
        place = f"{where} column {number}"
        if column is None and heading not in renamed:
            message = (
                f"{heading[:40]!r} is not a known heading: the columns are {', '.join((*required, *optional))}. "
                "Say what it is with --map THEIRS=OURS, or leave it out with --map THEIRS="
            )
            faults.append(Fault(place, "heading_unknown", message))
        elif column is not None and column in met:
            message = f"{heading[:40]!r} means {column}, as column {met[column]} does already: leave one out"
            faults.append(Fault(place, "heading_twice", message))
        elif column is not None:
            met[column] = number
        columns.append(column)
    faults.extend(
        Fault(where, "heading_missing", f"has no column {column}: the table needs {', '.join(required)}")
        for column in required
        if column not in met
    )
    return columns, faults


def _column(heading: str, known: set[str], renamed: Mapping[str, str]) -> str | None:
    if heading in renamed:
        return renamed[heading] or None
    for name in (heading, heading.lower(), MISSPELT.get(heading.lower(), ""), CHINESE.get(heading, "")):
        if name in known:
            return name
    return None
