"""The made-up world: three real regions, six hospitals, and persons who exist nowhere.

Knows who there is. Must not know what happens to them (`story`) or what anything costs (`bills`).
Hospitals' names are made up from hills and rivers nearby, persons' names from a short list; identity numbers carry real
area codes and valid check digits, and their order numbers run upwards without any regard to living people.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from hub.core.bill import Hospital
from hub.core.catalog import HospitalLevel
from hub.core.codes import IdentityNumber, InstitutionCode, InsuranceType, Region, identity_check_digit
from hub.core.decision import PersonGroup

JIANGNING = Region("320115")
HUANGSHAN = Region("341000")
QINZHOU = Region("450700")

REGIONS = (JIANGNING, HUANGSHAN, QINZHOU)
"""Jiangning bills services in Jiangsu's codes, Qinzhou drugs by a local list, Huangshan all in national codes."""

REGION_NAMES = {
    JIANGNING: ("南京江宁", "Jiangning"),
    HUANGSHAN: ("黄山", "Huangshan"),
    QINZHOU: ("钦州", "Qinzhou"),
}

_HOME_AREAS = {JIANGNING: "320115", HUANGSHAN: "341002", QINZHOU: "450702"}
"""The district with which the identity numbers of a region's persons begin."""

PLAYED_PERSON = ("990100", "沙一", "110101198001010010")
"""Region, name and number of somebody whom the played region 990100 knows: for trying the page oneself."""

NETWORKED_FROM = date(2024, 1, 1)


def _hospital(code: str, region: Region, level: HospitalLevel, name: str) -> Hospital:
    return Hospital(InstitutionCode(code), name, region, level, NETWORKED_FROM)


HOSPITALS = (
    _hospital("H32011500001", JIANGNING, HospitalLevel.LEVEL_3, "江宁方山医院"),
    _hospital("H32011500002", JIANGNING, HospitalLevel.LEVEL_2, "江宁秦淮河医院"),
    _hospital("H34100200001", HUANGSHAN, HospitalLevel.LEVEL_3, "黄山新安江医院"),
    _hospital("H34100200002", HUANGSHAN, HospitalLevel.LEVEL_2, "黄山率水医院"),
    _hospital("H45070200001", QINZHOU, HospitalLevel.LEVEL_3, "钦州茅尾海医院"),
    _hospital("H45070200002", QINZHOU, HospitalLevel.LEVEL_2, "钦州龙门港医院"),
)
"""Two per region: the first of level 3, the second of level 2."""


def hospitals_of(region: Region) -> tuple[Hospital, Hospital]:
    """The large and the small hospital of a region."""
    large, small = (one for one in HOSPITALS if one.region == region)
    return large, small


@dataclass(frozen=True, slots=True)
class Member:
    """A made-up insured person, as his region's roster and he himself know him."""

    region: Region
    name: str
    identity: IdentityNumber
    phone: str
    group: PersonGroup
    membership_years: int
    insurance_type: InsuranceType = InsuranceType.RESIDENT


_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜"
_GIVEN = (
    "安澜伯雅采薇长庚初晴丹青德馨尔雅芳洲扶摇格物鹤鸣怀瑾景行静姝君陶可久兰若乐山凌霄"
    "明夷南乔清越如松若谷舒窈素问天佑望舒惟馨文渊希声闲云晓岚心远行健修远宜人永言知微"
)
_GIVEN_NAMES = tuple(_GIVEN[start : start + 2] for start in range(0, len(_GIVEN), 2))
_GROUPS = (PersonGroup.ADULT,) * 16 + (PersonGroup.LOW_INCOME, PersonGroup.LOW_INCOME, PersonGroup.POOR)

_OLDEST = date(1941, 3, 1)
_YOUNGEST_ADULT_DAYS = 22_500
"""The youngest grown-up was born this many days after the oldest, in 2002."""

_PUPIL_FROM = date(2010, 9, 1)


def members(region: Region, *, seed: str) -> Iterator[Member]:
    """Persons of a region without end, the same for the same seed; about one in twelve is a pupil."""
    draw = random.Random(f"{seed}/{region}")
    number = 0
    while True:
        number += 1
        pupil = draw.randint(1, 12) == 1
        born = (
            _PUPIL_FROM + timedelta(days=draw.randint(0, 2_500))
            if pupil
            else _OLDEST + timedelta(days=draw.randint(0, _YOUNGEST_ADULT_DAYS))
        )
        # Order numbers 001 to 999 belong to one area and one day: with the day drawn, two never fall together.
        first = f"{_HOME_AREAS[region]}{born:%Y%m%d}{number % 1000:03d}"
        yield Member(
            region=region,
            name=draw.choice(_SURNAMES) + draw.choice(_GIVEN_NAMES),
            identity=IdentityNumber(first + identity_check_digit(first)),
            phone=f"1{draw.choice('3589')}{draw.randint(0, 10**9 - 1):09d}",
            group=PersonGroup.PUPIL if pupil else draw.choice(_GROUPS),
            membership_years=draw.randint(1, 12),
        )
