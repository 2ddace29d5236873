"""Codes of the trade: areas, institutions, persons, drugs, services, diagnoses.

Knows the shape and the check digits of each code.
Must not know what a code maps to, files, prices or databases.
Sources: national code books (see catalogs/README.md); GB 11643 for identity numbers; national interface for the
institution code.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hub.core.errors import NotAllowed

_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})
"""Beijing, Tianjin, Shanghai and Chongqing: each is one place of care with all its districts."""

_UNDER_THE_PROVINCE = "90"
"""Third and fourth digit of county-level cities that stand directly under their province (429004 Xiantao)."""


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """A medical-insurance area (医保区划): six digits, of which the first two name the province."""

    code: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[1-9][0-9]{5}", self.code, re.ASCII):
            raise NotAllowed("region_malformed", f"{self.code[:20]!r} is not an area code of six digits")

    def __str__(self) -> str:
        return self.code

    @property
    def province(self) -> str:
        return self.code[:2]

    @property
    def city(self) -> str:
        """The first digits of every area of the same city: two for a municipality, six for a city directly under its
        province, else four. People register to a city, and care is off-site where the city differs.
        """
        if self.province in _MUNICIPALITIES:
            return self.province
        return self.code if self.code[2:4] == _UNDER_THE_PROVINCE else self.code[:4]


class Regime(StrEnum):
    """The two regimes that run side by side and are cleared apart."""

    CROSS_PROVINCE = "cross_province"
    WITHIN_PROVINCE = "within_province"


def regime_of(*, insuring_region: Region, care_region: Region) -> Regime:
    """Which regime a bill between two cities falls under; raises NotAllowed where they are the same city."""
    if insuring_region.city == care_region.city:
        raise NotAllowed("not_off_site", "the insured place and the place of care are the same: no off-site settlement")
    same_province = insuring_region.province == care_region.province
    return Regime.WITHIN_PROVINCE if same_province else Regime.CROSS_PROVINCE


class InsuranceType(StrEnum):
    """Insurance types (险种) with their national numbers: 310 employees, 390 residents."""

    EMPLOYEE = "310"
    RESIDENT = "390"


class Fund(StrEnum):
    """Funds (基金支付类型) with their national numbers; one per layer of benefit and insurance type."""

    EMPLOYEE_BASIC = "310100"
    EMPLOYEE_LARGE_AMOUNT = "330100"
    RESIDENT_BASIC = "390100"
    RESIDENT_OUTPATIENT = "390102"
    RESIDENT_CATASTROPHIC = "390200"
    RESIDENT_SUPPLEMENTARY = "390300"
    RESIDENT_ACCIDENT = "390400"
    ASSISTANCE = "610100"


FUNDS_OF = {
    InsuranceType.EMPLOYEE: frozenset({Fund.EMPLOYEE_BASIC, Fund.EMPLOYEE_LARGE_AMOUNT, Fund.ASSISTANCE}),
    InsuranceType.RESIDENT: frozenset(
        {
            Fund.RESIDENT_BASIC,
            Fund.RESIDENT_OUTPATIENT,
            Fund.RESIDENT_CATASTROPHIC,
            Fund.RESIDENT_SUPPLEMENTARY,
            Fund.RESIDENT_ACCIDENT,
            Fund.ASSISTANCE,
        }
    ),
}
"""Which funds may pay for a person of an insurance type; medical assistance stands behind both."""


@dataclass(frozen=True, slots=True, order=True)
class InstitutionCode:
    """A designated institution (定点医药机构): H (hospital) or P (pharmacy) and eleven digits, the first six its
    area.
    """

    code: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[HP][1-9][0-9]{10}", self.code, re.ASCII):
            raise NotAllowed(
                "institution_malformed", f"{self.code[:20]!r} is not an institution code like H45070200001"
            )

    def __str__(self) -> str:
        return self.code


class CatalogKind(StrEnum):
    """The catalogs of the hub. The three catalogs (三大目录) that a fee line can name come first."""

    DRUG = "drug"
    HERBAL = "herbal"
    SERVICE = "service"
    PREPARATION = "preparation"
    CONSUMABLE = "consumable"
    FACILITY = "facility"
    DIAGNOSIS = "diagnosis"
    PROCEDURE = "procedure"
    MORPHOLOGY = "morphology"
    TCM_DISEASE = "tcm_disease"
    TCM_SYNDROME = "tcm_syndrome"
    CHRONIC_DISEASE = "chronic_disease"
    INSTITUTION = "institution"
    AREA = "area"


BILLABLE_KINDS = (
    CatalogKind.DRUG,
    CatalogKind.HERBAL,
    CatalogKind.PREPARATION,
    CatalogKind.SERVICE,
    CatalogKind.FACILITY,
    CatalogKind.CONSUMABLE,
)
"""What a fee line can name: drugs with herbal pieces and hospitals' own preparations, services with consumables, and
service facilities such as beds (三大目录).
"""

_UNIFIED_SHAPES = {
    CatalogKind.DRUG: re.compile(r"X[A-Z0-9]{22}|Z[A-Z0-9]{19}", re.ASCII),
    CatalogKind.HERBAL: re.compile(r"T[0-9]{9}", re.ASCII),
    CatalogKind.SERVICE: re.compile(r"[0-9]{15}", re.ASCII),
    CatalogKind.FACILITY: re.compile(r"[0-9]{15}", re.ASCII),
    # Hospitals' own preparations carry provincial codes; the national standard fixes no common shape.
    CatalogKind.PREPARATION: re.compile(r"[A-Z0-9]{6,40}", re.ASCII),
    # C and 19 characters; the code of a single product adds seven more.
    CatalogKind.CONSUMABLE: re.compile(r"C[A-Z0-9]{19}([0-9]{7})?", re.ASCII),
    # A diagnosis may carry its second code: the manifestation (A01.001+K77.0*) or the morphology (C22.101M81600/3).
    CatalogKind.DIAGNOSIS: re.compile(
        r"[A-Z][0-9]{2}(\.[0-9x][0-9]{0,2}(x[0-9]{3})?)?"
        r"(\+?[A-Z][0-9]{2}(\.[0-9]{1,3})?|M[0-9]{4,5}/[0-9])?[+*]?"
        r"|M[0-9]{4,5}/[0-9]",
        re.ASCII,
    ),
    CatalogKind.MORPHOLOGY: re.compile(r"M[0-9]{4,5}/[0-9]", re.ASCII),
    # GB/T 15657: A for diseases, B for syndromes, then pairs of digits.
    CatalogKind.TCM_DISEASE: re.compile(r"A[0-9]{2}(\.[0-9]{2}){0,4}\.?", re.ASCII),
    CatalogKind.TCM_SYNDROME: re.compile(r"B[0-9]{2}(\.[0-9]{2}){0,4}\.?", re.ASCII),
    CatalogKind.CHRONIC_DISEASE: re.compile(r"M[0-9]{5}", re.ASCII),
    CatalogKind.INSTITUTION: re.compile(r"[HP][1-9][0-9]{10}", re.ASCII),
    # Chapters are c1 to c18; some codes go on with a letter (17.912A0) or with x and three or four digits.
    CatalogKind.PROCEDURE: re.compile(
        r"c[0-9]{1,2}|[0-9]{2}(\.[0-9][0-9x]?([0-9]{2}(x[0-9]{3})?|[0-9]{3}|[0-9][A-Z][0-9]|[0-9]x[0-9]{4})?)?",
        re.ASCII,
    ),
    CatalogKind.AREA: re.compile(r"[1-9][0-9]{5}", re.ASCII),
}


@dataclass(frozen=True, slots=True, order=True)
class UnifiedCode:
    """A code of a unified catalog; the kind belongs to it, so that a drug never lands where a service is meant."""

    kind: CatalogKind
    code: str

    def __post_init__(self) -> None:
        if not _UNIFIED_SHAPES[self.kind].fullmatch(self.code):
            raise NotAllowed("code_malformed", f"{self.code[:40]!r} does not have the shape of a {self.kind} code")


def is_local_code(code: str) -> bool:
    """Whether a text can be a code of a region's own catalog: 1 to 64 printable characters."""
    return 1 <= len(code) <= 64 and code.isprintable()


@dataclass(frozen=True, slots=True, order=True)
class LocalCode:
    """A code in a region's own catalog; any printable text up to 64 characters, compared to the letter."""

    region: Region
    kind: CatalogKind
    code: str

    def __post_init__(self) -> None:
        if not is_local_code(self.code):
            raise NotAllowed("local_code_malformed", "a local code has 1 to 64 printable characters")


# --- persons -----------------------------------------------------------------------------------------------------


class Sex(StrEnum):
    """Sex as an identity number tells it (GB/T 2261.1: 1 male, 2 female)."""

    MALE = "1"
    FEMALE = "2"


_IDENTITY = re.compile(r"[1-9][0-9]{5}(1[89]|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9X]", re.ASCII)
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS = "10X98765432"
_PROVINCES = frozenset({
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37",
    "41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64",
    "65", "71", "81", "82", "83",
})  # fmt: skip


def identity_check_digit(first_seventeen: str) -> str:
    """The eighteenth character of an identity number (GB 11643, ISO 7064 MOD 11-2)."""
    weighted = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _IDENTITY_WEIGHTS, strict=True))
    return _IDENTITY_CHECKS[weighted % 11]


@dataclass(frozen=True, slots=True, repr=False)
class IdentityNumber:
    """A resident identity number (公民身份号码); never shown whole: `str` and `repr` give the masked form."""

    number: str

    def __post_init__(self) -> None:
        if not _IDENTITY.fullmatch(self.number):
            raise NotAllowed("identity_malformed", "an identity number has 18 characters: 17 digits and a digit or X")
        if self.number[:2] not in _PROVINCES:
            raise NotAllowed("identity_region", "the first two digits of the identity number name no province")
        try:
            born = self.birth_date
        except ValueError:
            raise NotAllowed("identity_birth", "digits 7 to 14 of the identity number are not a date") from None
        if identity_check_digit(self.number[:17]) != self.number[17]:
            raise NotAllowed("identity_check", "the last character does not fit the others: check for a typing slip")
        if born < date(1880, 1, 1):
            raise NotAllowed("identity_birth", "the date of birth lies too far back")

    @property
    def birth_date(self) -> date:
        return date(int(self.number[6:10]), int(self.number[10:12]), int(self.number[12:14]))

    @property
    def sex(self) -> Sex:
        """The seventeenth digit is odd for men and even for women (GB 11643)."""
        return Sex.MALE if int(self.number[16]) % 2 else Sex.FEMALE

    @property
    def masked(self) -> str:
        return self.number[:3] + "*" * 11 + self.number[-4:]

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"IdentityNumber({self.masked})"


def identity_number(text: str, *, as_of: date) -> IdentityNumber:
    """Read an identity number and refuse a birth date after `as_of`."""
    number = IdentityNumber(text)
    if number.birth_date > as_of:
        raise NotAllowed("identity_birth", "the date of birth in the identity number lies in the future")
    return number


def phone_number(text: str) -> str:
    """A Chinese mobile number: eleven ASCII digits beginning with 13 to 19."""
    if not re.fullmatch(r"1[3-9][0-9]{9}", text, re.ASCII):
        raise NotAllowed("phone_malformed", "a mobile number has eleven digits and begins with 13 to 19")
    return text


_FORBIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ud800-\udfff]"
)


def clean_text(text: str, *, longest: int) -> str:
    """Normalise text to NFC, trimmed; refuse control, direction, zero-width, line-separating and surrogate
    characters and excess length.
    """
    if _FORBIDDEN.search(text):
        raise NotAllowed("text_hidden_character", "the text holds a control, direction or zero-width character")
    normal = unicodedata.normalize("NFC", text).strip()
    if not normal:
        raise NotAllowed("text_empty", "the text is empty")
    if len(normal) > longest:
        raise NotAllowed("text_too_long", f"the text is longer than {longest} characters")
    return normal


def masked_name(name: str) -> str:
    """A person's name as shown to others: the first character and a star for each of the rest."""
    return name[:1] + "*" * max(1, len(name) - 1)
