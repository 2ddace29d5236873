"""The mapping workbench through signed messages: by persons of the region's agency, and by nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from hub import vault
from hub.client import HubClient, Problem
from hub.ports import HUB_SCOPE, Participant
from hub.store.access import ParticipantKey
from tests.web.conftest import BASE, OPERATOR, Api, InProcess, officer_of
from tests.workbench import ALSO_UNMAPPED, HEADING, LIMITED, OTHER_TARGET, PAID, TARGET, UNMAPPED, Bench, bench
from tests.world import JIANGNING, QINZHOU, START

__all__ = ["bench"]

PROPOSAL = {
    "kind": "service",
    "code": UNMAPPED,
    "target": TARGET,
    "grade": "exact",
    "first_day": "2026-10-01",
    "reason": "same service",
}
ENTRY = {
    "kind": "service",
    "code": LIMITED,
    "first_day": "2026-10-01",
    "price_limits": {"3": "40.5"},
    "reason": "price list",
}


@dataclass(frozen=True)
class Desk:
    """The workbench behind the interface: two officers of Jiangning's agency, each with his own key."""

    api: Api
    bench: Bench
    first: HubClient
    second: HubClient

    @property
    def agency(self) -> Participant:
        return self.bench.agency

    def add_key(self, name: str, holder: str | None) -> HubClient:
        """A further key of the agency."""
        pem = vault.generate_signing_key()
        with self.api.world.store.begin(HUB_SCOPE) as uow:
            uow.participants.add_key(
                ParticipantKey(
                    name, self.agency.id, vault.public_key_bytes(pem), START - timedelta(days=1), holder=holder
                )
            )
        return _client(self.api, name, pem)


def _client(api: Api, key_id: str, pem: bytes) -> HubClient:
    found = HubClient(BASE, key_id=key_id, private_key=pem, clock=api.world.clock, tries=1, pause=lambda _seconds: None)
    found._session.mount(BASE, InProcess(api.app))
    return found


@pytest.fixture
def desk(bench: Bench, api: Api) -> Desk:
    api.app.extensions["hub"] = replace(api.app.extensions["hub"], hub=bench.world.hub)
    first = api.client(bench.agency)
    with api.world.store.begin(HUB_SCOPE) as uow:
        officer_of(uow, bench.agency, "second")
    made = Desk(api, bench, first, first)
    return replace(made, second=made.add_key("key-second", f"stf-{bench.agency.id}-second"))


def refusal(send: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(Problem) as refused:
        send()
    return refused.value.status, refused.value.code


# --- one change -----------------------------------------------------------------------------------------------------


def test_two_officers_bring_a_mapping_into_force(desk: Desk):
    proposed = desk.first.propose_mapping(PROPOSAL)
    approved = desk.second.review_change(proposed["id"], approve=True)

    found = desk.first.change(proposed["id"])

    assert (proposed["state"], approved["state"], approved["order"]) == ("proposed", "in_force", 1)
    assert proposed["proposed_by"] != approved["reviewed_by"]
    assert found["mapping"]["unified_code"] == TARGET
    assert (found["target_name"], found["before"]["entry"]["benefit_class"]) == ("急诊观察床位费", "A")
    assert [step["event"] for step in found["history"]] == ["proposed", "approved"]
    item = desk.api.client(desk.bench.world.hospital(JIANGNING)).regional_item("320115", "service", UNMAPPED)
    assert item["mapping"]["payable"] is True


def test_who_proposed_does_not_approve_with_whichever_key_he_signs(desk: Desk):
    proposed = desk.first.propose_mapping(PROPOSAL)
    another = desk.add_key("key-first-again", f"stf-{desk.agency.id}-first")

    for client in (desk.first, another):
        assert refusal(lambda: client.review_change(proposed["id"], approve=True)) == (422, "same_person")  # noqa: B023


def test_who_proposes_at_the_pages_is_the_same_person_with_his_key(desk: Desk):
    at_the_pages = desk.bench.propose(actor=f"staff:stf-{desk.agency.id}-first")

    assert refusal(lambda: desk.first.review_change(at_the_pages.id, approve=True)) == (422, "same_person")


def test_the_key_of_a_system_reads_and_changes_nothing(desk: Desk):
    system = desk.add_key("key-system", None)
    proposed = desk.first.propose_mapping(PROPOSAL)

    assert system.change(proposed["id"])["id"] == proposed["id"]
    assert refusal(lambda: system.propose_mapping({**PROPOSAL, "code": LIMITED})) == (403, "key_without_holder")
    assert refusal(lambda: system.review_change(proposed["id"], approve=True)) == (403, "key_without_holder")


def test_a_rejection_a_withdrawal_and_an_undoing_go_their_ways(desk: Desk):
    one = desk.first.propose_mapping(PROPOSAL)
    rejected = desk.second.review_change(one["id"], approve=False, reason="another service")
    two = desk.first.propose_mapping(PROPOSAL)
    withdrawn = desk.first.withdraw_change(two["id"], reason="typing slip")
    three = desk.first.propose_mapping(PROPOSAL)
    desk.second.review_change(three["id"], approve=True)
    asked = desk.second.propose_undo(three["id"], reason="was wrong")
    kept = desk.first.review_undo(three["id"], approve=False, reason="it is right")
    desk.first.propose_undo(three["id"], reason="was wrong after all")
    undone = desk.second.review_undo(three["id"], approve=True)

    states = [found["state"] for found in (rejected, withdrawn, asked, kept, undone)]
    assert states == ["rejected", "withdrawn", "undo_proposed", "in_force", "undone"]
    assert sorted(found["state"] for found in desk.first.changes()) == ["rejected", "undone", "withdrawn"]
    assert [found["id"] for found in desk.first.changes(state="undone")] == [three["id"]]


def test_an_entry_is_proposed_with_what_shall_be_otherwise(desk: Desk):
    proposed = desk.first.propose_entry(ENTRY)

    entry = proposed["entry"]
    assert (entry["benefit_class"], entry["first_self_pay"]) == ("B", "10 %")
    assert entry["price_limits"] == {"3": "40.5"}


def test_all_parts_of_an_entry_go_in_and_come_out_the_same(desk: Desk):
    said = {
        "until": "2027-01-01",
        "grace_until": "2027-07-01",
        "benefit_class": "B",
        "first_self_pay": "62.5 %",
        "first_self_pay_of": {"310": "5 %"},
        "price_limits": {"2": "30", "3": "40.5"},
        "payment_standard": "38.25",
        "restriction": {
            "sex": "2",
            "age_from": 18,
            "age_to": 60,
            "diagnoses": ["O80"],
            "inpatient_only": True,
            "levels": ["2", "3"],
            "most_days": 7,
        },
    }

    entry = desk.first.propose_entry({**ENTRY, **said})["entry"]

    assert entry.pop("valid_until") == said.pop("until")
    assert {name: entry[name] for name in said} == said


def test_null_takes_away_and_a_field_left_out_stays(desk: Desk):
    base = {**ENTRY, "price_limits": {"3": "40"}, "payment_standard": "35", "restriction": {"inpatient_only": True}}
    desk.second.review_change(desk.first.propose_entry(base)["id"], approve=True)

    kept = desk.first.propose_entry({**ENTRY, "restriction": None})["entry"]

    assert (kept["payment_standard"], kept["restriction"]) == ("35", None)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({**PROPOSAL, "proposed_by": "me"}, "proposed_by"),
        ({**PROPOSAL, "score": 999}, "score"),
        ({**PROPOSAL, "region": "450700"}, "region"),
        ({**PROPOSAL, "origin": "imported"}, "origin"),
        ({**PROPOSAL, "condition": {"age_from": 151}}, "condition.age_from"),
        ({**PROPOSAL, "condition": {"diagnoses": [1]}}, "condition.diagnoses[0]"),
        ({**PROPOSAL, "reason": ""}, "reason"),
        ({**PROPOSAL, "target": HEADING}, "target"),
        ({**PROPOSAL, "first_day": "2020-01-01"}, "first_day"),
        ({name: value for name, value in PROPOSAL.items() if name != "grade"}, "grade"),
    ],
)
def test_a_faulty_proposal_is_refused_with_the_path_of_its_field(desk: Desk, body: dict[str, Any], where: str):
    with pytest.raises(Problem) as refused:
        desk.first.propose_mapping(body)

    assert (refused.value.status, [fault["where"] for fault in refused.value.faults]) == (422, [where])


@pytest.mark.parametrize("ratio", ["101 %", "0.1", "-5 %", "10%", "1e1 %"])
def test_a_ratio_that_is_no_share_is_refused(desk: Desk, ratio: str):
    with pytest.raises(Problem) as refused:
        desk.first.propose_entry({**ENTRY, "first_self_pay": ratio})

    assert [fault["where"] for fault in refused.value.faults] == ["first_self_pay"]


def test_ages_the_wrong_way_round_are_refused(desk: Desk):
    body = {**PROPOSAL, "condition": {"age_from": 60, "age_to": 18}}

    assert refusal(lambda: desk.first.propose_mapping(body)) == (422, "condition_ages")


def test_the_same_key_gives_the_same_answer_and_one_proposal(desk: Desk):
    one = desk.first.propose_mapping(PROPOSAL, idempotency_key="once-and-once")
    two = desk.first.propose_mapping(PROPOSAL, idempotency_key="once-and-once")

    assert one == two
    assert len(list(desk.first.changes())) == 1
    other = {**PROPOSAL, "reason": "another"}
    assert refusal(lambda: desk.first.propose_mapping(other, idempotency_key="once-and-once")) == (
        422,
        "idempotency_key_reused",
    )


# --- queue, coverage, bulk, impact ----------------------------------------------------------------------------------


def test_the_queue_is_read_page_by_page_with_candidates(desk: Desk):
    desk.bench.settled("Huang", (UNMAPPED, "300.00"), (ALSO_UNMAPPED, "200.00"))
    desk.bench.played.answers[UNMAPPED] = [(TARGET, 910), (OTHER_TARGET, 40)]

    first = desk.first._get("/v1/mappings/queue", {"limit": "1", "top": "1"})
    second = desk.first._get("/v1/mappings/queue", {"limit": "1", "offset": "1"})

    assert [(row["code"], row["amount"], row["outcome"]) for row in first["items"]] == [
        (UNMAPPED, "300.00", "unmapped")
    ]
    assert [(one["unified_code"], one["score"]) for one in first["items"][0]["candidates"]] == [(TARGET, 910)]
    assert (first["next_offset"], second["next_offset"]) == (1, None)
    assert [row["code"] for row in second["items"]] == [ALSO_UNMAPPED]


def test_coverage_is_told_in_rows_and_in_money(desk: Desk):
    desk.bench.settled("Huang", (PAID, "700.00"), (UNMAPPED, "300.00"))

    (service,) = [row for row in desk.first.coverage() if row["kind"] == "service"]

    assert (service["amount"], service["waiting"]) == ("1000.00", "300.00")


def test_a_code_is_looked_at_with_its_history(desk: Desk):
    desk.first.propose_mapping(PROPOSAL)

    found = desk.first.local_code("service", UNMAPPED)

    assert [told["state"] for told in found["changes"]] == ["proposed"]
    assert found["stretches"][0]["entry"]["name"] == found["name"] == "门急诊留观诊察费"


def test_many_are_proposed_by_one_officer_and_approved_by_another_exactly_once(desk: Desk):
    desk.bench.settled("Huang", (UNMAPPED, "300.00"), (ALSO_UNMAPPED, "200.00"))
    desk.bench.played.answers = {UNMAPPED: [(TARGET, 990)], ALSO_UNMAPPED: [(HEADING, 980)]}
    asked = {"kind": "service", "least_score": 950, "first_day": "2026-10-01", "reason": "names agree"}

    proposed = desk.first.propose_above(asked, idempotency_key="bulk-00001")
    repeated = desk.first.propose_above(asked, idempotency_key="bulk-00001")
    own = desk.first.approve_above({"least_score": 950, "reason": "mine"})
    approved = desk.second.approve_above({"least_score": 950, "reason": "looked through"})

    assert proposed == repeated
    assert [row["code"] for row in proposed["accepted"]] == [UNMAPPED]
    assert [(row["code"], row["reason"]) for row in proposed["refused"]] == [(ALSO_UNMAPPED, "target_not_active")]
    assert [row["reason"] for row in own["refused"]] == ["same_person"]
    assert [(row["code"], row["state"]) for row in approved["accepted"]] == [(UNMAPPED, "in_force")]


def test_more_than_five_hundred_at_a_time_are_refused(desk: Desk):
    body = {"least_score": 950, "reason": "all", "limit": 501}

    assert refusal(lambda: desk.first.approve_above(body)) == (422, "fields_refused")


def test_a_preview_tells_what_moves_without_naming_anybody(desk: Desk):
    bill = desk.bench.settled("Huang", (PAID, "5000.00"), (UNMAPPED, "1000.00"))

    draft = desk.first.impact_of_mapping(PROPOSAL)
    proposed = desk.first.impact_of_change(desk.first.propose_mapping(PROPOSAL)["id"])

    assert draft == proposed
    assert (draft["to_fund"], draft["from_person"], draft["from_hospital"]) == ("550.00", "550.00", "0.00")
    assert draft["by_fund"] == [{"insuring_region": "341000", "fund": "390100", "amount": "550.00", "bills": 1}]
    assert [one["bill_id"] for one in draft["most"]] == [bill.id]
    assert draft["most"][0]["lines"][0]["after"]["outcome"] == "covered"
    assert not any(word in str(draft) for word in ("person_id", "name_", "identity", "diagnos"))


def test_a_preview_of_an_entry_may_move_money_the_other_way(desk: Desk):
    desk.bench.settled("Huang", (PAID, "5000.00"))
    body = {**ENTRY, "code": PAID, "price_limits": {}, "benefit_class": "B", "first_self_pay": "50 %"}

    assert desk.first.impact_of_entry(body)["to_fund"] == "-1375.00"


# --- who may --------------------------------------------------------------------------------------------------------

READS = [
    "/v1/mappings/queue",
    "/v1/mappings/coverage",
    f"/v1/mappings/code?kind=service&code={UNMAPPED}",
    "/v1/mappings/changes",
    "/v1/mappings/changes/{id}",
    "/v1/mappings/changes/{id}/impact",
]
REVIEW = {"approve": True, "reason": ""}
REASON = {"reason": "x"}
WRITES = [
    ("/v1/mappings/changes", PROPOSAL),
    ("/v1/mappings/entries", ENTRY),
    ("/v1/mappings/changes/{id}/review", REVIEW),
    ("/v1/mappings/changes/{id}/withdraw", REASON),
    ("/v1/mappings/changes/{id}/undo", REASON),
    ("/v1/mappings/changes/{id}/undo-review", REVIEW),
    ("/v1/mappings/bulk-proposals", {"kind": "service", "least_score": 1, "first_day": "2026-10-01", "reason": "x"}),
    ("/v1/mappings/bulk-reviews", {"least_score": 1, "reason": "x"}),
    ("/v1/mappings/impact", PROPOSAL),
    ("/v1/mappings/entries/impact", ENTRY),
]


def test_hospitals_and_the_operator_are_refused_at_every_route(desk: Desk):
    change = desk.first.propose_mapping({**PROPOSAL, "code": ALSO_UNMAPPED})

    for who in (desk.bench.world.hospital(JIANGNING), OPERATOR):
        answers = [desk.api.send(who, "GET", path.format(id=change["id"])) for path in READS]
        answers += [desk.api.send(who, "POST", path.format(id=change["id"]), body) for path, body in WRITES]
        assert {found.status_code for found in answers} == {403}
    assert [found["state"] for found in desk.first.changes()] == ["proposed"]


def test_another_regions_agency_finds_nothing_of_this_one(desk: Desk):
    desk.bench.settled("Huang", (UNMAPPED, "300.00"))
    change = desk.first.propose_mapping(PROPOSAL)
    other = desk.bench.world.agency(QINZHOU)
    client = desk.api.client(other)

    named = [path for path in READS if "{id}" in path]
    answers = [desk.api.send(other, "GET", path.format(id=change["id"])) for path in named]
    answers += [
        desk.api.send(other, "POST", path.format(id=change["id"]), body, key=f"other-key-{number}")
        for number, (path, body) in enumerate(WRITES)
        if "{id}" in path
    ]
    assert {(found.status_code, found.json()["code"]) for found in answers} == {(404, "change_not_found")}
    assert (client.waiting(), list(client.changes())) == ([], [])
    # Jiangsu's own code is none of Qinzhou's: its agency can neither look at it nor propose for it.
    assert refusal(lambda: client.local_code("service", UNMAPPED)) == (404, "code_not_found")
    assert refusal(lambda: client.propose_mapping(PROPOSAL)) == (422, "code_unknown")
    assert refusal(lambda: client.impact_of_mapping(PROPOSAL)) == (422, "code_unknown")
    assert [found["state"] for found in desk.first.changes()] == ["proposed"]
