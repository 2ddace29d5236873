"""Shapes and check digits of codes, the two regimes, and what a text from outside may hold."""

from datetime import date

import pytest

from hub.core.codes import (
    CatalogKind,
    IdentityNumber,
    InstitutionCode,
    LocalCode,
    Regime,
    Region,
    UnifiedCode,
    clean_text,
    identity_check_digit,
    identity_number,
    masked_name,
    phone_number,
    regime_of,
)
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.mapping import PAYABLE_GRADES, Grade, Mapping
from tests.core.builders import AWAY, DRUG, identity

LOCAL = LocalCode(AWAY, CatalogKind.DRUG, "001")


def refusal(action, *args, **more):
    with pytest.raises(NotAllowed) as refused:
        action(*args, **more)
    return refused.value.code


# --- regions -----------------------------------------------------------------------------------------------------


def test_an_area_code_names_its_province_and_its_city():
    region = Region("450702")

    assert (str(region), region.province, region.city) == ("450702", "45", "4507")


@pytest.mark.parametrize("code", ["", "45070", "4507000", "045070", "45070a", "４５０７００", "450700\n"])
def test_an_area_code_that_is_not_six_digits_is_refused(code):
    assert refusal(Region, code) == "region_malformed"


@pytest.mark.parametrize("code", ["110000", "120101", "310115", "500243"])
def test_a_municipality_is_one_city_with_all_its_districts(code):
    assert Region(code).city == code[:2]


@pytest.mark.parametrize("code", ["429004", "469001", "659001", "419001"])
def test_a_county_level_city_directly_under_its_province_is_a_city_of_its_own(code):
    assert Region(code).city == code


@pytest.mark.parametrize(
    ("insuring", "care", "regime"),
    [
        ("450700", "450100", Regime.WITHIN_PROVINCE),
        ("450700", "430100", Regime.CROSS_PROVINCE),
        ("429004", "429005", Regime.WITHIN_PROVINCE),
    ],
)
def test_care_in_another_city_falls_under_the_regime_of_its_province(insuring, care, regime):
    assert regime_of(insuring_region=Region(insuring), care_region=Region(care)) is regime


@pytest.mark.parametrize(("insuring", "care"), [("450700", "450700"), ("450700", "450702"), ("110101", "110105")])
def test_care_inside_the_insured_city_is_not_off_site(insuring, care):
    assert refusal(regime_of, insuring_region=Region(insuring), care_region=Region(care)) == "not_off_site"


# --- institutions, catalogs and mappings -------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["H43010000001", "P43010000001"])
def test_an_institution_code_is_a_letter_and_eleven_digits(code):
    assert str(InstitutionCode(code)) == code


@pytest.mark.parametrize(
    "code", ["", "43010000001", "X43010000001", "H03010000001", "H4301000001", "H430100000011", "h43010000001"]
)
def test_any_other_institution_code_is_refused(code):
    assert refusal(InstitutionCode, code) == "institution_malformed"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("drug", "XA01ABD075A002010100483"),
        ("drug", "ZA01AAA0001010100001"),
        ("herbal", "T000100001"),
        ("service", "001101000010000"),
        ("diagnosis", "A01.001+K77.0*"),
        ("diagnosis", "C22.101M81600/3"),
        ("diagnosis", "M81600/3"),
        ("procedure", "17.912A0"),
        ("procedure", "c18"),
        ("area", "450700"),
    ],
)
def test_each_catalog_has_codes_of_its_own_shape(kind, code):
    assert UnifiedCode(CatalogKind(kind), code).code == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [("drug", "T000100001"), ("service", "XA01ABD075A002010100483"), ("herbal", "T１２３４５６７８９")],
)
def test_a_code_of_one_catalog_is_refused_in_another(kind, code):
    assert refusal(UnifiedCode, CatalogKind(kind), code) == "code_malformed"


@pytest.mark.parametrize("code", ["", "x" * 65, "a\tb", "a\u200bb", "a\u00a0b"])
def test_a_local_code_is_short_and_printable(code):
    assert refusal(LocalCode, AWAY, CatalogKind.DRUG, code) == "local_code_malformed"


def test_a_local_code_may_have_sixty_four_characters():
    assert len(LocalCode(AWAY, CatalogKind.DRUG, "x" * 64).code) == 64


def test_only_a_target_that_says_the_same_or_less_is_paid_by():
    assert frozenset({Grade.EXACT, Grade.NARROWER}) == PAYABLE_GRADES


def test_a_mapping_holds_from_its_first_day_until_further_notice():
    assert Mapping(LOCAL, DRUG, Grade.EXACT, date(2026, 1, 1)).valid_until is None


@pytest.mark.parametrize(("unified", "grade"), [(None, Grade.EXACT), (DRUG, Grade.NONE)])
def test_a_mapping_has_no_target_exactly_when_its_grade_is_none(unified, grade):
    with pytest.raises(Inconsistent) as broken:
        Mapping(LOCAL, unified, grade, date(2026, 1, 1))

    assert broken.value.code == "mapping_grade"


def test_a_drug_is_never_mapped_to_a_service():
    service = UnifiedCode(CatalogKind.SERVICE, "001101000010000")

    assert refusal(Mapping, LOCAL, service, Grade.EXACT, date(2026, 1, 1)) == "mapping_kind"


def test_a_mapping_that_ends_on_the_day_it_begins_is_refused():
    day = date(2026, 1, 1)

    assert refusal(Mapping, LOCAL, DRUG, Grade.EXACT, day, day) == "mapping_span"


# --- persons -----------------------------------------------------------------------------------------------------


def test_the_check_digit_follows_from_the_other_seventeen():
    # GB 11643, example of annex A: 11010519491231002X; the weighted sum is 167, 167 mod 11 = 2, which stands for X.
    assert identity_check_digit("11010519491231002") == "X"
    assert IdentityNumber("11010519491231002X").birth_date == date(1949, 12, 31)


@pytest.mark.parametrize("prefix", ["810000", "820000", "830000"])
def test_residence_permits_of_hong_kong_macao_and_taiwan_are_identity_numbers(prefix):
    assert IdentityNumber(identity(f"{prefix}19900101001")).number.startswith(prefix)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２X",
        "11010519491231002 ",
        "110105491231002",
        "01010519491231002X",
        "11010521491231002X",
    ],
)
def test_an_identity_number_of_another_shape_is_refused(number):
    assert refusal(IdentityNumber, number) == "identity_malformed"


@pytest.mark.parametrize(
    ("first_seventeen", "code"),
    [
        ("99010519491231002", "identity_region"),
        ("11010519490230002", "identity_birth"),
        ("11010519491301002", "identity_birth"),
        ("11010518791231002", "identity_birth"),
    ],
)
def test_an_identity_number_of_nowhere_or_of_no_day_is_refused(first_seventeen, code):
    assert refusal(IdentityNumber, identity(first_seventeen)) == code


def test_a_typing_slip_in_an_identity_number_is_found():
    assert refusal(IdentityNumber, "110105194912310021") == "identity_check"
    assert refusal(IdentityNumber, "11010519491231020X") == "identity_check"


def test_a_person_born_today_has_an_identity_number_and_one_born_tomorrow_has_not():
    number = identity("45070220261001001")

    assert identity_number(number, as_of=date(2026, 10, 1)).birth_date == date(2026, 10, 1)
    assert refusal(identity_number, number, as_of=date(2026, 9, 30)) == "identity_birth"


def test_an_identity_number_is_never_shown_whole():
    number = IdentityNumber("11010519491231002X")

    assert str(number) == "110***********002X"
    assert repr(number) == "IdentityNumber(110***********002X)"


def test_a_leap_day_is_a_day_of_birth_only_in_a_leap_year():
    assert IdentityNumber(identity("45070220000229001")).birth_date == date(2000, 2, 29)
    assert refusal(IdentityNumber, identity("45070219000229001")) == "identity_birth"


def test_a_mobile_number_has_eleven_digits():
    assert phone_number("13800138000") == "13800138000"
    for wrong in ("12800138000", "1380013800", "138001380000", "１３８００１３８０００", "+8613800138000"):
        assert refusal(phone_number, wrong) == "phone_malformed"


def test_a_text_is_trimmed_and_composed():
    assert clean_text("  Ame\u0301lie \u3000", longest=6) == "Am\u00e9lie"


@pytest.mark.parametrize(
    "hidden", ["\x00", "\x85", "\u200b", "\u200f", "\u202e", "\u2066", "\ufeff", "\ud800", "\u061c", "\u2028", "\u2029"]
)
def test_a_text_with_a_hidden_character_is_refused(hidden):
    assert refusal(clean_text, f"Wang{hidden}Wu", longest=50) == "text_hidden_character"


def test_an_empty_or_overlong_text_is_refused():
    assert refusal(clean_text, " \u3000", longest=5) == "text_empty"
    assert refusal(clean_text, "abcdef", longest=5) == "text_too_long"


@pytest.mark.parametrize(("name", "shown"), [("王五", "王*"), ("欧阳小明", "欧***"), ("王", "王*")])
def test_others_see_the_first_character_of_a_name(name, shown):
    assert masked_name(name) == shown
