"""The layouts of the national catalog files, as tables: which column of which number is which.

Knows positions, counted from 1 as in the interface's documents. Must not know how a file is read or kept.
Source: national-interface section 6 for files, section 5.2 for the rows that queries answer. Positions whose meaning
the source does not give are not read; what regions add on the right is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hub.core.codes import CatalogKind

CLASS_WORDS = MappingProxyType(
    {
        "01": "甲",
        "1": "甲",
        "甲类": "甲",
        "02": "乙",
        "2": "乙",
        "乙类": "乙",
        "03": "丙",
        "3": "丙",
        "丙类": "丙",
        "自费": "丙",
    }
)
"""chrgitm_lv 收费项目等级 (section 10.2) in numbers and in words, and the classes they name."""


@dataclass(frozen=True, slots=True)
class FileLayout:
    """One number of catalog file, parted by tabs.

    `at` gives for each of our columns the positions to look at: the first that is not empty counts, but for `joined`
    columns, which are all of theirs. `words` translates cells, `parents` names positions of (code, name, level) of the
    headings above a row, the highest first. `kind` is None where the hub keeps no book of it: such a file is only
    checked.
    """

    number: str
    title: str
    columns: int
    at: Mapping[str, tuple[int, ...]]
    kind: CatalogKind | None = None
    joined: frozenset[str] = frozenset()
    fixed: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parents: tuple[tuple[int, int, str], ...] = ()
    kind_of: Callable[[str], CatalogKind] | None = None

    @property
    def least(self) -> int:
        """How many columns a row needs at the very least: up to its code and one of its names."""
        return max(self.at["code"][0], min(self.at["name"]))


def _service_or_facility(code: str) -> CatalogKind:
    """Beds are item 1109 of the service items, after the two digits of the province."""
    return CatalogKind.FACILITY if code[2:6] == "1109" else CatalogKind.SERVICE


def _at(**positions: int | tuple[int, ...]) -> Mapping[str, tuple[int, ...]]:
    return MappingProxyType({key: one if isinstance(one, tuple) else (one,) for key, one in positions.items()})


_CONSUMABLE = _at(
    code=1,
    name=2,
    generic_code=4,
    generic_name=5,
    model=6,
    spec=(7, 8),
    consumable_class=9,
    material=(11, 12),
    restricted_scope=35,
    effective_from=47,
    effective_until=48,
    registration_no=51,
    manufacturer=60,
    valid_flag=68,
    record_id=69,
    national_version=70,
)

FILE_LAYOUTS: Mapping[str, FileLayout] = {
    layout.number: layout
    for layout in (
        FileLayout(
            "1301",
            "western and Chinese patent drugs 西药中成药",
            97,
            _at(
                code=1,
                brand_name=2,
                generic_name=4,
                name=(8, 4, 2),
                dosage_form=16,
                spec=(17, 14),
                package=(30, 31, 32, 33),
                manufacturer=54,
                restricted_scope=57,
                approval_no=62,
                valid_flag=79,
                record_id=80,
                national_version=83,
                insurance_class=92,
                effective_from=96,
                effective_until=97,
            ),
            CatalogKind.DRUG,
            joined=frozenset({"package"}),
            words={"insurance_class": CLASS_WORDS},
        ),
        FileLayout(
            "1302",
            "herbal pieces 中药饮片",
            33,
            _at(
                code=1, name=2, valid_flag=14, record_id=15, national_version=18, effective_from=32, effective_until=33
            ),
            CatalogKind.HERBAL,
        ),
        FileLayout(
            "1303",
            "hospital preparations 自制剂",
            83,
            _at(
                code=1,
                name=2,
                dosage_form=(6, 5),
                spec=11,
                manufacturer=41,
                approval_no=44,
                valid_flag=65,
                effective_from=66,
                effective_until=67,
                record_id=68,
                national_version=71,
                licence_no=73,
            ),
            CatalogKind.PREPARATION,
        ),
        FileLayout(
            "1305",
            "service items 医疗服务项目",
            20,
            _at(
                code=1,
                unit=(3, 2),
                exclusions=5,
                content=(6, 4),
                valid_flag=7,
                remark=8,
                name=10,
                record_id=14,
                national_version=15,
                effective_from=(19, 12),
                effective_until=13,
            ),
            CatalogKind.SERVICE,
            fixed={"sources": "1305"},
            kind_of=_service_or_facility,
        ),
        FileLayout("1306", "consumables 医用耗材", 71, _CONSUMABLE, CatalogKind.CONSUMABLE),
        FileLayout("1306A", "consumables with 27 digits 医用耗材", 71, _CONSUMABLE, CatalogKind.CONSUMABLE),
        FileLayout(
            "1307",
            "diseases 疾病与诊断",
            24,
            _at(code=11, name=12, valid_flag=19, record_id=20, national_version=23),
            CatalogKind.DIAGNOSIS,
            fixed={"level": "code"},
            parents=((7, 8, "category"), (9, 10, "subcategory")),
        ),
        FileLayout(
            "1308",
            "operations 手术操作",
            24,
            _at(code=11, name=12, valid_flag=19, record_id=20, national_version=23),
            CatalogKind.PROCEDURE,
            fixed={"level": "code"},
            parents=((5, 6, "category"), (7, 8, "subcategory"), (9, 10, "detail")),
        ),
        FileLayout(
            "1309",
            "chronic and special diseases 门慢特病种",
            16,
            _at(
                code=1,
                disease_class=2,
                disease_subclass=3,
                region=4,
                valid_flag=6,
                record_id=7,
                national_version=10,
                name=15,
            ),
            CatalogKind.CHRONIC_DISEASE,
        ),
        FileLayout(
            "1310",
            "diseases paid by disease 按病种付费",
            15,
            _at(code=2, name=3, operation_code=4, operation_name=5, valid_flag=6, record_id=7, national_version=10),
        ),
        FileLayout(
            "1311",
            "day surgery 日间手术",
            15,
            _at(code=2, name=3, valid_flag=4, record_id=5, national_version=8, operation_name=14, operation_code=15),
        ),
        FileLayout("1313", "tumour morphology 肿瘤形态学", 11, _at(code=4, name=5), CatalogKind.MORPHOLOGY),
        FileLayout("1314", "diseases of Chinese medicine 中医疾病", 14, _at(code=6, name=7), CatalogKind.TCM_DISEASE),
        FileLayout("1315", "syndromes of Chinese medicine 中医证候", 14, _at(code=6, name=7), CatalogKind.TCM_SYNDROME),
        FileLayout(
            "1320",
            "herbal granules 配方颗粒",
            44,
            _at(
                code=2,
                name=3,
                unit=4,
                spec=6,
                manufacturer=9,
                piece_code=20,
                piece_name=21,
                valid_flag=29,
                record_id=30,
                national_version=42,
            ),
        ),
        FileLayout(
            "1321",
            "service items, new edition 医疗服务项目(新)",
            34,
            _at(
                code=3,
                name=7,
                unit=11,
                content=8,
                exclusions=10,
                remark=12,
                valid_flag=14,
                national_version=21,
                effective_from=23,
                effective_until=24,
                record_id=25,
            ),
            CatalogKind.SERVICE,
            fixed={"sources": "1321"},
            kind_of=_service_or_facility,
        ),
    )
}


# --- rows that queries answer -------------------------------------------------------------------------------------

_KEPT = "rid updt_time crter_id crter_name crte_time crte_optins_no opter_id opter_name opt_time optins_no"


@dataclass(frozen=True, slots=True)
class RowForm:
    """The fields of a query's rows, in the order of the documents; `required` are those a row cannot do without."""

    number: str
    title: str
    fields: tuple[str, ...]
    required: tuple[str, ...]


def _form(number: str, title: str, fields: str, *, required: str) -> RowForm:
    return RowForm(number, title, tuple(fields.split()), tuple(required.split()))


ROW_FORMS: Mapping[str, RowForm] = {
    form.number: form
    for form in (
        _form(
            "1304",
            "ethnic drugs 民族药品",
            "med_list_codg drug_prodname genname_codg drug_genname ethdrug_type chemname alis eng_name dosform "
            "each_dos used_frqu nat_drug_no used_mtd ing chrt defs tabo mnan stog drug_spec prcunt_type otc_flag "
            "pacmatl pacspec min_useunt min_salunt manl rute begndate enddate pham_type memo pac_cnt min_unt "
            "min_pac_cnt min_pacunt min_prepunt drug_expy efcc_atd min_prcunt wubi pinyin vali_flag rid crte_time "
            "updt_time crter_id crter_name crte_optins_no opter_id opter_name opt_time optins_no ver",
            required="med_list_codg vali_flag",
        ),
        _form(
            "1312",
            "a region's insurance catalog 医保目录",
            "hilist_code hilist_name insu_admdvs begndate enddate med_chrgitm_type chrgitm_lv lmt_used_flag list_type "
            f"med_use_flag matn_used_flag hilist_use_type lmt_cpnd_type wubi pinyin memo vali_flag {_KEPT} poolarea_no",
            required="hilist_code hilist_name insu_admdvs begndate chrgitm_lv vali_flag",
        ),
        _form(
            "1316",
            "national code to insurance catalog 医疗目录与医保目录匹配",
            f"med_list_codg hilist_code list_type insu_admdvs begndate enddate memo vali_flag {_KEPT} poolarea_no",
            required="med_list_codg hilist_code insu_admdvs begndate vali_flag",
        ),
        _form(
            "1317",
            "an institution's own codes 医药机构目录匹配",
            "fixmedins_code medins_list_codg medins_list_name insu_admdvs list_type med_list_codg begndate enddate "
            f"aprvno dosform exct_cont item_cont prcunt spec pacspec memo vali_flag {_KEPT} poolarea_no",
            required="fixmedins_code medins_list_codg insu_admdvs med_list_codg begndate vali_flag",
        ),
        _form(
            "1318",
            "price limits 医保目录限价",
            "hilist_code hilist_lmtpric_type overlmt_dspo_way insu_admdvs begndate enddate hilist_pric_uplmt_amt "
            f"vali_flag {_KEPT} tabname poolarea_no",
            required="hilist_code hilist_lmtpric_type insu_admdvs begndate hilist_pric_uplmt_amt vali_flag",
        ),
        _form(
            "1319",
            "first self-pay ratios 医保目录先自付比例",
            "hilist_code selfpay_prop_psn_type selfpay_prop_type insu_admdvs begndate enddate selfpay_prop "
            f"vali_flag {_KEPT} tabname poolarea_no",
            required="hilist_code selfpay_prop_psn_type selfpay_prop_type insu_admdvs begndate selfpay_prop vali_flag",
        ),
    )
}
