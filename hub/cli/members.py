"""Who takes part: hospitals, participants with their signing keys, staff with their logins.

Knows arguments, passwords and PEM files as an operator has them. Must not know rules or SQL; each change leaves an
audit row.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TextIO

import click

from hub.cli.operate import OPERATOR
from hub.cli.surroundings import running_app
from hub.core.bill import Hospital
from hub.core.catalog import HospitalLevel
from hub.core.codes import InstitutionCode, Region
from hub.core.dates import start_of_day
from hub.core.errors import NotAllowed, NotFound
from hub.ports import HUB_SCOPE, Participant, Sight
from hub.store.access import ParticipantKey, StaffMember
from hub.store.unit_of_work import SqlUnitOfWork
from hub.web.pages.guards import AGENCY
from hub.web.pages.guards import OPERATOR as OPERATOR_ROLE
from hub.web.sessions import hash_password
from hub.wiring import App

SHORTEST_PASSWORD = 12

_DAY = click.DateTime(["%Y-%m-%d"])
_SIGHT_OF_ROLE = {AGENCY: Sight.REGION, OPERATOR_ROLE: Sight.HUB}

# An Ed25519 public key in a PEM file: this head, which names the algorithm, and the 32 bytes of the key (RFC 8410).
_ED25519_HEAD = bytes.fromhex("302a300506032b6570032100")
_PUBLIC_KEY_BYTES = 32


def register(group: click.Group) -> None:
    for found in (hospital, participant, key, staff):
        group.add_command(found)


@click.group()
def hospital() -> None:
    """Designated institutions."""


@hospital.command("add")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--region", required=True, help="Six digits of the region that manages it.")
@click.option("--level", required=True, type=click.Choice([level.value for level in HospitalLevel]))
@click.option("--networked-from", required=True, type=_DAY, help="First day on which it may settle.")
@click.pass_context
def hospital_add(
    context: click.Context, code: str, *, name: str, region: str, level: str, networked_from: datetime
) -> None:
    """Add a hospital, or replace what is known of it."""
    added = Hospital(InstitutionCode(code), name, Region(region), HospitalLevel(level), networked_from.date())
    with running_app(context) as app, app.store.begin(HUB_SCOPE) as uow:
        uow.institutions.put(added)
        _note(app, uow, "hospital_put", code, region=region, level=level)
    click.echo(f"{code} stands in {region}")


@click.group()
def participant() -> None:
    """Hospitals, agencies and the hub itself, as they sign and log in."""


@participant.command("add")
@click.argument("participant_id", metavar="ID")
@click.option("--name", required=True)
@click.option("--region", help="For an agency: six digits of its region.")
@click.option("--hospital", "code", help="For a hospital: its code, which must have been added before.")
@click.option("--hub", "is_hub", is_flag=True, help="For the hub's own operators.")
@click.pass_context
def participant_add(
    context: click.Context, participant_id: str, *, name: str, region: str | None, code: str | None, is_hub: bool
) -> None:
    """Add a participant: an agency by its region, a hospital by its code, or the hub itself."""
    if sum((region is not None, code is not None, is_hub)) != 1:
        raise click.UsageError("say one of --region, --hospital, --hub")
    with running_app(context) as app, app.store.begin(HUB_SCOPE) as uow:
        if code is not None:
            known = uow.institutions.get(InstitutionCode(code))
            if known is None:
                raise NotFound("hospital_not_found", f"no hospital {code}: add it with `hub hospital add` first")
            added = Participant(participant_id, Sight.INSTITUTION, known.region, known.code, name)
        elif region is not None:
            added = Participant(participant_id, Sight.REGION, Region(region), None, name)
        else:
            added = Participant(participant_id, Sight.HUB, None, None, name)
        uow.participants.add(added)
        _note(app, uow, "participant_added", participant_id, sight=added.sight.value)
    click.echo(f"{participant_id} takes part")


@click.group()
def key() -> None:
    """Public keys with which participants sign."""


@key.command("add")
@click.argument("key_id", metavar="ID")
@click.option("--participant", "participant_id", required=True)
@click.option(
    "--public-key",
    required=True,
    type=click.File(encoding="ascii", errors="replace"),
    help="A PEM file, or - for standard input.",
)
@click.option("--from", "valid_from", type=_DAY, help="First day; without it from now on.")
@click.option("--until", "valid_until", type=_DAY, help="The day after the last one; without it until revoked.")
@click.option("--holder", "login", help="Login of the one person who signs with it, where two people are asked for.")
@click.pass_context
def key_add(
    context: click.Context,
    key_id: str,
    *,
    participant_id: str,
    public_key: TextIO,
    valid_from: datetime | None,
    valid_until: datetime | None,
    login: str | None,
) -> None:
    """Add a participant's Ed25519 public key from a PEM file; the private key never comes here.

    Without a holder it is the key of a system, which may not change a catalog: that needs two people.
    """
    raw = read_public_key(public_key.read())
    with running_app(context) as app, app.store.begin(HUB_SCOPE) as uow:
        _known(uow, participant_id)
        begins = start_of_day(valid_from.date()) if valid_from else app.clock.now()
        ends = start_of_day(valid_until.date()) if valid_until else None
        holder = None if login is None else _member(uow, login).id
        uow.participants.add_key(ParticipantKey(key_id, participant_id, raw, begins, ends, holder=holder))
        _note(app, uow, "key_added", key_id, participant=participant_id, holder=login or "")
    click.echo(f"{key_id} signs for {participant_id}")


@key.command("list")
@click.argument("participant_id", metavar="PARTICIPANT")
@click.pass_context
def key_list(context: click.Context, participant_id: str) -> None:
    """List all keys of a participant, whatever their state."""
    with running_app(context) as app, app.store.begin(HUB_SCOPE) as uow:
        _known(uow, participant_id)
        found = uow.participants.keys(participant_id)
        now = app.clock.now()
    for one in found:
        until = one.valid_until.isoformat() if one.valid_until else "until revoked"
        state = "revoked" if one.revoked_at else "counts" if one.holds(now) else "does not count now"
        click.echo(f"{one.id}  {one.valid_from.isoformat()}  {until}  {state}")


@key.command("revoke")
@click.argument("key_id", metavar="ID")
@click.pass_context
def key_revoke(context: click.Context, key_id: str) -> None:
    """Revoke a key: from the next message on nothing signed with it counts."""
    with running_app(context) as app, app.store.begin(HUB_SCOPE) as uow:
        if not uow.participants.revoke_key(key_id, at=app.clock.now()):
            raise NotFound("key_not_found", f"there is no key {key_id} that is not revoked")
        _note(app, uow, "key_revoked", key_id)
    click.echo(f"{key_id} is revoked")


@click.group()
def staff() -> None:
    """Persons who log in at the pages."""


@staff.command("add")
@click.argument("login")
@click.option("--participant", "participant_id", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice(list(_SIGHT_OF_ROLE)))
@click.password_option()
@click.pass_context
def staff_add(context: click.Context, login: str, *, participant_id: str, name: str, role: str, password: str) -> None:
    """Add a member of staff; the password is asked for. An operator belongs to the hub, an agency's officer to it."""
    hashed = hash_password(_long_enough(password))
    with running_app(context) as app, app.store.begin(HUB_SCOPE) as uow:
        if _known(uow, participant_id).sight is not _SIGHT_OF_ROLE[role]:
            raise NotAllowed("role_does_not_fit", f"{participant_id} has no staff with the role {role}")
        uow.staff.add(
            StaffMember(
                id=app.hub.new_id("stf"),
                participant_id=participant_id,
                login=login,
                name=name,
                role=role,
                password_hash=hashed,
            )
        )
        _note(app, uow, "staff_added", login, participant=participant_id, role=role)
    click.echo(f"{login} may log in")


@staff.command("password")
@click.argument("login")
@click.password_option()
@click.pass_context
def staff_password(context: click.Context, login: str, password: str) -> None:
    """Set a new password, which also ends every session of this member and lifts a lock."""
    hashed = hash_password(_long_enough(password))
    with running_app(context) as app, app.store.begin(HUB_SCOPE) as uow:
        uow.staff.set_password(_member(uow, login).id, password_hash=hashed)
        _note(app, uow, "password_set", login)
    click.echo(f"{login} has a new password")


def read_public_key(pem: str) -> bytes:
    """The 32 raw bytes of an Ed25519 public key in PEM form. Raises NotAllowed for anything else."""
    if "PRIVATE" in pem:
        raise NotAllowed("private_key", "this is a private key: keep it, and give its public half")
    try:
        body = "".join(line for line in pem.splitlines() if not line.startswith("-----"))
        found = base64.b64decode(body, validate=True)
    except ValueError:
        found = b""
    head, raw = found[: len(_ED25519_HEAD)], found[len(_ED25519_HEAD) :]
    if head != _ED25519_HEAD or len(raw) != _PUBLIC_KEY_BYTES:
        raise NotAllowed("public_key", "this is not the PEM file of an Ed25519 public key")
    return raw


def _known(uow: SqlUnitOfWork, participant_id: str) -> Participant:
    found = uow.participants.get(participant_id)
    if found is None:
        raise NotFound("participant_not_found", f"no participant {participant_id}: add it first")
    return found


def _member(uow: SqlUnitOfWork, login: str) -> StaffMember:
    found = uow.staff.by_login(login)
    if found is None:
        raise NotFound("login_not_found", f"nobody has the login {login}")
    return found


def _long_enough(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise NotAllowed("password_short", f"a password has at least {SHORTEST_PASSWORD} characters")
    return password


def _note(app: App, uow: SqlUnitOfWork, action: str, subject: str, **facts: str) -> None:
    uow.audit.write(actor=OPERATOR, action=action, subject=subject, at=app.clock.now(), facts=facts)
