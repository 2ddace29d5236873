"""A pre-registration (备案) and whether it covers a stay.

Knows categories, evidence, validity, the moves of a registration and the question "does it cover this admission".
Must not know amounts or rules of payment.
Sources: domain-process section 4 (articles 7, 8, 16, 34 of the 2022 procedure); sizes of time spans are dated
configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from hub.core.codes import Region
from hub.core.dates import Span, add_months, months_from
from hub.core.errors import NotAllowed
from hub.core.lifecycle import Lifecycle

MOST_MONTHS_AHEAD = 6
"""How far ahead a registration may start: the hub's own bound, since no document states one."""


class RegistrationCategory(StrEnum):
    """The six categories of off-site patients; the first three are long-term, the others temporary."""

    RETIRED_SETTLED = "retired_settled"
    LONG_TERM_RESIDENT = "long_term_resident"
    POSTED_WORKER = "posted_worker"
    REFERRED = "referred"
    EMERGENCY = "emergency"
    OTHER_TEMPORARY = "other_temporary"

    @property
    def is_long_term(self) -> bool:
        return self in LONG_TERM


LONG_TERM = frozenset(
    {
        RegistrationCategory.RETIRED_SETTLED,
        RegistrationCategory.LONG_TERM_RESIDENT,
        RegistrationCategory.POSTED_WORKER,
    }
)


class Evidence(StrEnum):
    """What a registration rests on. A promise (个人承诺书) stands in for papers until they are filed."""

    NONE = "none"
    PROMISE = "promise"
    PAPERS = "papers"
    REFERRAL_CERTIFICATE = "referral_certificate"


ACCEPTED_EVIDENCE = {
    RegistrationCategory.RETIRED_SETTLED: frozenset({Evidence.PROMISE, Evidence.PAPERS}),
    RegistrationCategory.LONG_TERM_RESIDENT: frozenset({Evidence.PROMISE, Evidence.PAPERS}),
    RegistrationCategory.POSTED_WORKER: frozenset({Evidence.PROMISE, Evidence.PAPERS}),
    RegistrationCategory.REFERRED: frozenset({Evidence.REFERRAL_CERTIFICATE}),
    RegistrationCategory.EMERGENCY: frozenset({Evidence.NONE}),
    RegistrationCategory.OTHER_TEMPORARY: frozenset({Evidence.NONE}),
}


class RegistrationState(StrEnum):
    """Where a registration stands."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


REGISTRATION_MOVES = Lifecycle(
    "registration",
    start=RegistrationState.SUBMITTED,
    moves=[
        (RegistrationState.SUBMITTED, "approved", RegistrationState.APPROVED),
        (RegistrationState.SUBMITTED, "refused", RegistrationState.REFUSED),
        (RegistrationState.SUBMITTED, "withdrawn", RegistrationState.WITHDRAWN),
        # before its first day: it never held
        (RegistrationState.APPROVED, "withdrawn", RegistrationState.WITHDRAWN),
        # from that day on it does not hold; the days before keep their cover
        (RegistrationState.APPROVED, "cancelled", RegistrationState.CANCELLED),
    ],
)


@dataclass(frozen=True, slots=True)
class RegistrationRules:
    """An insuring region's own figures for registrations; dated data of the region's folder, not constants.

    `temporary_months`: how long a temporary registration holds (in principle at least six months).
    `instant_categories`: those approved at once without an officer.
    """

    temporary_months: int
    instant_categories: frozenset[RegistrationCategory]
    source: str

    def __post_init__(self) -> None:
        if self.temporary_months < 1:
            raise NotAllowed("registration_rules", "temporary_months must be at least 1")


@dataclass(frozen=True, slots=True)
class Registration:
    """One person's registration for one place of care, over a span of days."""

    id: str
    insuring_region: Region
    care_region: Region
    category: RegistrationCategory
    evidence: Evidence
    span: Span
    state: RegistrationState

    def covers(self, *, care_region: Region, admitted_on: date, discharged_on: date) -> bool:
        """Whether it opens direct settlement of a stay in a region.

        It does where it is valid on any day of the stay, both ends included: who was admitted while it held stays
        covered until discharge, and one made before discharge covers the stay at hand (articles 7 and 16).

        A registration is made to a city: any institution of that city, its districts included, is covered;
        a registration to a district covers the whole city, too, since places of care are cities. A cancelled one keeps
        covering the days before its cancel, at which its span was ended.
        """
        stay = Span(admitted_on, discharged_on + timedelta(days=1))
        return (
            self.state in (RegistrationState.APPROVED, RegistrationState.CANCELLED)
            and care_region.city == self.care_region.city
            and self.span.overlaps(stay)
        )


def check_new(
    *,
    insuring_region: Region,
    care_region: Region,
    category: RegistrationCategory,
    evidence: Evidence,
    start: date,
    as_of: date,
    active: Iterable[Registration],
) -> None:
    """Refuse a registration that may not be filed; raises NotAllowed with a code for each rule.

    `active` are the person's registrations so far; only those submitted or approved can stand in the way.
    The emergency category is refused here: an emergency is deemed registered by the hospital's flag (article 34).
    """
    if category is RegistrationCategory.EMERGENCY:
        raise NotAllowed(
            "registration_emergency_not_filed",
            "an emergency need not be filed: the hospital flags it at admission and it counts as registered",
        )
    if insuring_region.city == care_region.city:
        raise NotAllowed("registration_not_off_site", "the place of care lies inside the insured place: none is needed")
    if evidence not in ACCEPTED_EVIDENCE[category]:
        accepted = ", ".join(sorted(ACCEPTED_EVIDENCE[category]))
        raise NotAllowed("registration_evidence", f"category {category} rests on: {accepted}")
    if start < as_of:
        raise NotAllowed("registration_start_past", "a registration cannot start before the day it is filed")
    if start > add_months(as_of, MOST_MONTHS_AHEAD):
        raise NotAllowed("registration_start_far", "a registration may start at most six months ahead")
    new_span = Span(start)
    for other in active:
        is_live = other.state in (RegistrationState.SUBMITTED, RegistrationState.APPROVED)
        if is_live and other.care_region.city == care_region.city and other.span.overlaps(new_span):
            raise NotAllowed(
                "registration_overlap",
                f"registration {other.id} already covers this place: cancel it first or wait until it ends",
                facts={"registration": other.id},
            )


def validity(category: RegistrationCategory, *, start: date, rules: RegistrationRules) -> Span:
    """Long-term: without end. Temporary: the insuring region's number of months, the first day included."""
    return Span(start) if category.is_long_term else months_from(start, rules.temporary_months)


class AccessBasis(StrEnum):
    """On what ground a bill is settled directly; decides the insuring region's rate."""

    LONG_TERM = "long_term"
    REFERRED = "referred"
    EMERGENCY = "emergency"
    TEMPORARY = "temporary"
    UNREGISTERED = "unregistered"


def basis_of_access(
    registrations: Iterable[Registration],
    *,
    care_region: Region,
    admitted_on: date,
    discharged_on: date,
    emergency: bool,
) -> tuple[AccessBasis, str | None]:
    """The best ground that a person has for a stay, and the registration it rests on.

    Order: long-term, referred, emergency flag (deemed registered), other temporary, none. Where two of a kind cover the
    stay, the one with the smaller id counts, so that the answer never depends on the order of rows.
    """
    covering = sorted(
        (
            found
            for found in registrations
            if found.covers(care_region=care_region, admitted_on=admitted_on, discharged_on=discharged_on)
        ),
        key=lambda found: found.id,
    )
    for found in covering:
        if found.category.is_long_term:
            return AccessBasis.LONG_TERM, found.id
    for found in covering:
        if found.category is RegistrationCategory.REFERRED:
            return AccessBasis.REFERRED, found.id
    if emergency:
        return AccessBasis.EMERGENCY, None
    if covering:
        return AccessBasis.TEMPORARY, covering[0].id
    return AccessBasis.UNREGISTERED, None
