"""The operator's commands for parked messages, months, members and keys."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub import vault
from hub.actions import delivery
from hub.core.codes import InstitutionCode, Regime
from hub.core.dates import Period
from hub.core.errors import Conflict, HubError, NotAllowed, NotFound, Unreachable
from hub.ports import HUB_SCOPE, Sight
from hub.store.engine import SqlStore, open_store
from hub.vault import generate_signing_key, public_key_bytes, public_key_pem, read_key_file
from tests.database import Database
from tests.deploy.conftest import Run
from tests.world import HUANGSHAN, QINZHOU, World

HOSPITAL = ("hospital", "add", "H45070200009", "--name", "钦州试院", "--region", "450700", "--level", "3")
PASSWORD = "correct horse battery\ncorrect horse battery\n"
HEALED = datetime(2030, 1, 1, tzinfo=UTC)


class Silent:
    """A region whose system does not answer, and then does."""

    def __init__(self, inner: object) -> None:
        self.inner = inner
        self.silent = True

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def book(self, booking: object) -> None:
        if self.silent:
            raise Unreachable("region_closed", "the region does not answer", transient=False)
        self.inner.book(booking)


@pytest.fixture
def silent(world: World) -> Silent:
    """The insuring region of a settled bill, deaf to its booking: one message is parked."""
    world.settled("Huang", QINZHOU)
    deaf = Silent(world.hub.gateway(HUANGSHAN))
    world.with_gateway(HUANGSHAN, deaf)
    world.deliver_all()
    return deaf


def failure_of(result) -> HubError:
    assert isinstance(result.exception, HubError), result.output
    return result.exception


# --- messages and months ---------------------------------------------------------------------------------------------


def test_nothing_parked_is_told_as_well(run: Run):
    result = run("outbox", "list")

    assert (result.exit_code, result.output) == (0, "0 waiting, 0 parked\n")


def test_a_parked_message_is_listed_with_its_error_and_region(run: Run, silent: Silent):
    result = run("outbox", "list")

    assert result.exit_code == 1
    assert "0 waiting, 1 parked" in result.output
    assert "region_booking  1 attempts  region_closed" in result.output
    assert '"region": "341000"' in result.output


def test_a_message_let_go_again_reaches_its_region(run: Run, silent: Silent, world: World):
    ((message, _),) = delivery.parked(world.hub, limit=10)
    silent.silent = False

    result = run("outbox", "retry", message.id)
    world.clock.moment = HEALED

    assert result.output == "1 let go\n"
    assert world.deliver_all() == 1
    assert len(silent.booked(day=date(2026, 10, 20))) == 1


def test_all_parked_messages_can_be_let_go_at_once(run: Run, silent: Silent, world: World):
    result = run("outbox", "retry", "--all")

    assert result.output == "1 let go\n"
    assert delivery.parked(world.hub, limit=10) == []
    assert delivery.waiting(world.hub) == 1


def test_a_message_that_is_not_parked_is_named(run: Run):
    result = run("outbox", "retry", "4711")

    assert result.exit_code == 1
    assert "4711 is not parked" in result.stderr


@pytest.mark.parametrize("words", [(), ("7", "--all")])
def test_which_messages_to_send_again_must_be_said(run: Run, words: tuple[str, ...]):
    assert run("outbox", "retry", *words).exit_code == 2


def test_letting_a_message_go_leaves_an_audit_row(run: Run, silent: Silent, world: World, owner):
    ((message, _),) = delivery.parked(world.hub, limit=10)

    run("outbox", "retry", message.id)

    rows = owner.exec_driver_sql("select actor, subject from audit where action = 'message_retried'").all()
    assert rows == [("operator-cli", f"outbox/{message.id}")]


def test_months_are_listed_with_their_states(run: Run, store: SqlStore):
    with store.begin(HUB_SCOPE) as uow:
        uow.windows.ensure(Regime.CROSS_PROVINCE, Period(2026, 10))

    assert run("windows").output == "2026-10  cross_province    open\n"


# --- members ---------------------------------------------------------------------------------------------------------


def test_a_hospital_takes_part_and_signs(run: Run, store: SqlStore, tmp_path: Path):
    private = generate_signing_key()
    pem = public_key_pem(public_key_bytes(private)).decode()

    run(*HOSPITAL, "--networked-from", "2026-01-01")
    run("participant", "add", "hos-9", "--hospital", "H45070200009", "--name", "钦州试院")
    result = run("key", "add", "hos-9-1", "--participant", "hos-9", "--public-key", "-", standard_input=pem)

    assert result.exit_code == 0, result.output
    with store.begin(HUB_SCOPE) as uow:
        member = uow.participants.get("hos-9")
        key = uow.participants.key("hos-9-1", at=HEALED)
    assert (member.sight, member.institution) == (Sight.INSTITUTION, InstitutionCode("H45070200009"))
    assert key.public_key == public_key_bytes(private)


def test_a_participant_of_an_unknown_hospital_is_refused(run: Run):
    result = run("participant", "add", "hos-9", "--hospital", "H45070200009", "--name", "钦州试院")

    assert isinstance(failure_of(result), NotFound)


def test_a_participant_is_of_one_kind(run: Run):
    assert run("participant", "add", "x", "--hub", "--region", "450700", "--name", "x").exit_code == 2


def test_a_participant_is_not_added_twice(run: Run):
    run("participant", "add", "age-q", "--region", "450700", "--name", "钦州")

    assert isinstance(failure_of(run("participant", "add", "age-q", "--region", "450700", "--name", "钦州")), Conflict)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (generate_signing_key().decode(), "private_key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "public_key"),
        ("not a key at all ", "public_key"),
    ],
)
def test_what_is_no_public_key_is_refused(run: Run, content: str, code: str):
    run("participant", "add", "age-q", "--region", "450700", "--name", "钦州")

    result = run("key", "add", "age-q-1", "--participant", "age-q", "--public-key", "-", standard_input=content)

    assert failure_of(result).code == code


def test_a_key_of_one_person_names_him_and_a_stranger_is_refused(run: Run, store: SqlStore):
    pem = public_key_pem(public_key_bytes(generate_signing_key())).decode()
    add = ("key", "add", "age-q-wei", "--participant", "age-q", "--public-key", "-", "--holder")
    run("participant", "add", "age-q", "--region", "450700", "--name", "钦州")
    run(
        "staff",
        "add",
        "wei",
        "--participant",
        "age-q",
        "--name",
        "韦",
        "--role",
        "agency",
        "--password",
        "long enough here",
    )

    unknown = run(*add, "nobody", standard_input=pem)
    known = run(*add, "wei", standard_input=pem)

    assert isinstance(failure_of(unknown), NotFound)
    assert known.exit_code == 0, known.output
    with store.begin(HUB_SCOPE) as uow:
        assert uow.participants.key("age-q-wei", at=HEALED).holder == uow.staff.by_login("wei").id


def test_a_revoked_key_counts_no_more(run: Run, store: SqlStore):
    pem = public_key_pem(public_key_bytes(generate_signing_key())).decode()
    run("participant", "add", "age-q", "--region", "450700", "--name", "钦州")
    run("key", "add", "age-q-1", "--participant", "age-q", "--public-key", "-", standard_input=pem)

    assert run("key", "revoke", "age-q-1").exit_code == 0

    with store.begin(HUB_SCOPE) as uow:
        assert uow.participants.key("age-q-1", at=HEALED) is None
    assert run("key", "list", "age-q").output.endswith("until revoked  revoked\n")


def test_a_key_that_does_not_exist_cannot_be_revoked(run: Run):
    assert isinstance(failure_of(run("key", "revoke", "nobody-1")), NotFound)


def test_an_officer_may_log_in_for_his_agency(run: Run, store: SqlStore):
    run("participant", "add", "age-q", "--region", "450700", "--name", "钦州")

    result = run(
        "staff", "add", "wei", "--participant", "age-q", "--role", "agency", "--name", "韦", standard_input=PASSWORD
    )

    assert result.output.endswith("wei may log in\n")
    with store.begin(HUB_SCOPE) as uow:
        assert uow.staff.by_login("wei").password_hash.startswith("$argon2id$")


def test_an_agency_has_no_operators(run: Run):
    run("participant", "add", "age-q", "--region", "450700", "--name", "钦州")

    result = run(
        "staff", "add", "wei", "--participant", "age-q", "--role", "operator", "--name", "韦", standard_input=PASSWORD
    )

    assert failure_of(result).code == "role_does_not_fit"


def test_a_short_password_is_refused(run: Run):
    result = run(
        "staff", "add", "x", "--participant", "p", "--role", "agency", "--name", "x", standard_input="short\nshort\n"
    )

    assert failure_of(result).code == "password_short"


def test_a_new_password_replaces_the_old(run: Run, store: SqlStore):
    run("participant", "add", "hub", "--hub", "--name", "平台")
    run("staff", "add", "op", "--participant", "hub", "--role", "operator", "--name", "x", standard_input=PASSWORD)
    with store.begin(HUB_SCOPE) as uow:
        before = uow.staff.by_login("op").password_hash

    assert run("staff", "password", "op", standard_input="another long one\nanother long one\n").exit_code == 0

    with store.begin(HUB_SCOPE) as uow:
        assert uow.staff.by_login("op").password_hash != before


# --- keys of the vault, and the checks -------------------------------------------------------------------------------


def test_the_vaults_key_is_changed_without_touching_what_is_sealed(
    run: Run, world: World, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    world.settled("Huang", QINZHOU)
    both = tmp_path / "both.json"
    both.write_text(run("vault", "new-key").output, encoding="ascii")
    fresh_id, old_id = json.loads(both.read_text(encoding="ascii"))
    monkeypatch.setenv("HUB_VAULT_KEY_FILE", str(both))

    assert run("vault", "rewrap").output == "2 data keys are under the new key now\n"

    alone = vault.KeyRing({fresh_id: read_key_file(both).keys[fresh_id]})
    opened = open_store(database.app_url, alone)
    with opened.begin(HUB_SCOPE) as uow:
        ((reference,),) = uow.connection.exec_driver_sql("select person_id from bill").all()
        assert uow.persons.get(reference).name == "黄测松"
    opened.engine.dispose()
    assert fresh_id != old_id


def test_the_audit_log_is_followed_and_its_end_is_told(run: Run, world: World):
    world.settled("Huang", QINZHOU)
    with world.store.begin(HUB_SCOPE) as uow:
        rows = uow.audit.seal()

    result = run("audit", "verify")

    assert result.exit_code == 0
    assert f"The audit log is whole: {rows} rows" in result.output


def test_the_books_of_a_settled_bill_are_in_order(run: Run, world: World):
    world.settled("Huang", QINZHOU)
    world.deliver_all()

    result = run("ledger", "verify")

    assert result.exit_code == 0, result.output
    assert "ok     3  entries-balance" in result.output


def test_an_unknown_member_is_refused(run: Run):
    assert isinstance(failure_of(run("key", "list", "nobody")), NotAllowed)
