"""Sets the stage: a clean state folder, running services, loaded catalogs, and everybody with his key or login.

Knows how an operator onboards regions, hospitals and staff. Must not know the story.
"""

from __future__ import annotations

import secrets
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from hub.cli.processes import ROLES, Processes
from hub.cli.setup import prepare_database
from hub.client import HubClient
from hub.core.bill import Hospital
from hub.core.codes import Region
from hub.core.decision import InsuranceStatus
from hub.demo.leftovers import remember, stop_leftovers
from hub.demo.screen import Screen
from hub.demo.world import HOSPITALS, JIANGNING, REGION_NAMES, REGIONS, Member
from hub.ports import HUB_SCOPE, Participant, Sight
from hub.services import remove_data, start_services
from hub.settings import Settings
from hub.store.access import ParticipantKey, RosterRow, StaffMember
from hub.vault import generate_signing_key, public_key_bytes
from hub.web.sessions import hash_password
from hub.wiring import App, build_app

FOLDER = "demo"
"""The demonstration's own part of the state folder; nothing else is ever deleted."""

OPERATOR = "operator"
COLLEAGUE = "colleague-jiangning"
"""A second officer of Jiangning: what one proposes at the mapping workbench, another reviews."""

KEYS_FROM = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Login:
    """One member of staff with the password that was made for him."""

    login: str
    password: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that the players need: the address, their keys and logins, and the operator's own view of the hub."""

    settings: Settings
    app: App
    processes: Processes
    key_files: Path
    logins: Sequence[Login]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def client(self, participant_id: str) -> HubClient:
        """A signing client of a participant, for one thread."""
        return HubClient(
            self.origin,
            key_id=_key_id(participant_id),
            private_key=self.key_files / f"{participant_id}.pem",
            clock=self.app.clock,
        )

    def login_of(self, region: Region) -> Login:
        """The officer of a region."""
        return next(one for one in self.logins if one.login == officer_login(region))


def agency_id(region: Region) -> str:
    return f"agency-{region}"


def hospital_id(hospital: Hospital) -> str:
    return f"hospital-{hospital.code}"


def officer_login(region: Region) -> str:
    return f"officer-{REGION_NAMES[region][1].lower()}"


@contextmanager
def set_stage(settings: Settings, members: Sequence[Member], screen: Screen) -> Iterator[Stage]:
    """Start everything afresh; leaving the block stops it. Raises ServiceError if a hub still uses the folder.

    The hub's processes are starting when the block begins: `Stage.processes.wait_until_ready` waits for them.
    """
    with screen.act("Clear away what an earlier demonstration left"):
        _clear(replace(settings, state_dir=settings.state_dir / FOLDER))
    # The port is chosen now: a play that was killed held it until it was cleared away.
    own = _own_settings(settings)
    with screen.act("Start PostgreSQL and Valkey"):
        services = start_services(own)
    with services:
        own = replace(
            own,
            database_url=services.database_app_url,
            database_owner_url=services.database_owner_url,
            redis_url=services.redis_url,
        )
        with screen.act("Make the tables and load the real catalogs"):
            prepare_database(own)
        app = build_app(own)
        processes = Processes(own)
        try:
            for role in ROLES:
                processes.start(role)
            remember(own.state_dir, [one.pid for one in processes.running.values()])
            with screen.act("Onboard regions, hospitals, officers and insured persons"):
                keys = own.state_dir / "keys"
                logins = _onboard(app, members, keys)
            yield Stage(own, app, processes, keys, logins)
        finally:
            processes.stop()
            app.close()


def _own_settings(settings: Settings) -> Settings:
    """The demonstration always runs on services of its own: it deletes its data, and no given database is its own."""
    port = _free_port(settings)
    return replace(
        settings,
        env="development",
        state_dir=settings.state_dir / FOLDER,
        database_url=None,
        database_owner_url=None,
        redis_url=None,
        port=port,
        public_url=f"http://localhost:{port}",
    )


def _free_port(settings: Settings) -> int:
    """The port of the settings, or any free one where another program has it."""
    for port in (settings.port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free on 127.0.0.1")


def _clear(settings: Settings) -> None:
    """Stop what a killed play left, then delete its data; a folder that a living hub uses is left as it is."""
    stop_leftovers(settings.state_dir)
    remove_data(settings)
    shutil.rmtree(settings.state_dir, ignore_errors=True)
    settings.state_dir.mkdir(parents=True)


def _onboard(app: App, members: Sequence[Member], keys: Path) -> tuple[Login, ...]:
    """What an operator does before anybody can take part; each participant gets a key, each officer a password."""
    keys.mkdir(mode=0o700)
    logins = [_new_login(officer_login(region), f"officer of {REGION_NAMES[region][1]}") for region in REGIONS]
    logins.append(_new_login(COLLEAGUE, "second officer of Jiangning"))
    logins.append(_new_login(OPERATOR, "operator of the hub"))
    employers = (*map(agency_id, REGIONS), agency_id(JIANGNING), OPERATOR)
    with app.store.begin(HUB_SCOPE) as uow:
        for hospital in HOSPITALS:
            uow.institutions.put(hospital)
        for participant in _participants():
            uow.participants.add(participant)
            uow.participants.add_key(_new_key(participant.id, keys))
        for login, participant_id in zip(logins, employers, strict=True):
            uow.staff.add(
                StaffMember(
                    id=app.hub.new_id("stf"),
                    participant_id=participant_id,
                    login=login.login,
                    name=login.meaning,
                    role="operator" if login.login == OPERATOR else "agency",
                    password_hash=hash_password(login.password),
                )
            )
        uow.roster.put(
            RosterRow(
                region=member.region,
                identity=member.identity,
                name=member.name,
                status=InsuranceStatus.NORMAL,
                insurance_type=member.insurance_type,
                group=member.group,
                membership_years=member.membership_years,
            )
            for member in members
        )
    note = "".join(f"{one.login}  {one.password}  ({one.meaning})\n" for one in logins)
    (keys / "logins.txt").write_text(note, encoding="utf-8")
    return tuple(logins)


def _participants() -> Iterator[Participant]:
    yield Participant(OPERATOR, Sight.HUB, None, None, "平台运营")
    for region in REGIONS:
        yield Participant(agency_id(region), Sight.REGION, region, None, f"{REGION_NAMES[region][0]}医保经办机构")
    for hospital in HOSPITALS:
        yield Participant(hospital_id(hospital), Sight.INSTITUTION, hospital.region, hospital.code, hospital.name)


def _new_key(participant_id: str, keys: Path) -> ParticipantKey:
    """A fresh key; its private half stays in a file that only its owner reads."""
    pem = generate_signing_key()
    path = keys / f"{participant_id}.pem"
    path.touch(mode=0o600)
    path.write_bytes(pem)
    return ParticipantKey(_key_id(participant_id), participant_id, public_key_bytes(pem), KEYS_FROM)


def _key_id(participant_id: str) -> str:
    return f"{participant_id}-1"


def _new_login(login: str, meaning: str) -> Login:
    return Login(login, secrets.token_urlsafe(9), meaning)
