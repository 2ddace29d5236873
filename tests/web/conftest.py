"""The little world behind its web application, and participants who sign."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import flask
import pytest
import requests
import structlog
from requests.adapters import BaseAdapter
from werkzeug.test import Client

from hub import logs, vault
from hub.client import HubClient
from hub.ports import HUB_SCOPE, Participant, Sight
from hub.settings import Settings
from hub.store.access import ParticipantKey, StaffMember
from hub.store.gate import Gate
from hub.store.shelf import CatalogMemory
from hub.store.unit_of_work import SqlUnitOfWork
from hub.web import limits
from hub.web.app import create_app
from hub.web.signing import sign
from hub.wiring import App
from tests.world import QINZHOU, REGIONS, START, World

BASE = "http://localhost"

OPERATOR = Participant("hub-operator", Sight.HUB, None, None, "operator")


class InProcess(BaseAdapter):
    """Sends a prepared request straight into an application, as it was signed."""

    def __init__(self, app: flask.Flask) -> None:
        super().__init__()
        self._client = Client(app)

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        path = request.url.removeprefix(BASE)
        found = self._client.open(
            path.partition("?")[0],
            base_url=BASE,
            query_string=path.partition("?")[2] or None,
            method=request.method,
            headers=list(request.headers.items()),
            data=request.body,
            environ_overrides={"RAW_URI": path, "REQUEST_URI": path},
        )
        answer = requests.Response()
        answer.status_code = found.status_code
        answer.headers.update(found.headers)
        answer.raw = io.BytesIO(found.get_data())
        answer._content = found.get_data()
        answer.request = request
        answer.url = request.url
        return answer

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Api:
    """The application, its world, and everybody's keys."""

    app: flask.Flask
    world: World
    keys: dict[str, bytes]

    def client(self, who: Participant) -> HubClient:
        """A signing client of a participant."""
        found = HubClient(
            BASE,
            key_id=f"key-{who.id}",
            private_key=self.keys[who.id],
            clock=self.world.clock,
            tries=1,
            pause=lambda _seconds: None,
        )
        found._session.mount(BASE, InProcess(self.app))
        return found

    def send(
        self,
        who: Participant,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        nonce: str | None = None,
        key: str | None = "key-00000001",
        change: Callable[[requests.PreparedRequest], None] | None = None,
        times: int = 1,
    ) -> requests.Response:
        """Sign a message, change it on its way, send it as often as asked; gives the last answer."""
        data = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        sent = dict(headers or {})
        if method == "POST":
            sent = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {}), **sent}
        request = requests.Request(method, BASE + path, data=data or None, headers=sent).prepare()
        sign(
            request,
            key_id=f"key-{who.id}",
            private_pem=self.keys[who.id],
            nonce=nonce or f"nonce-{next(_NONCES):012d}",
            at=self.world.clock.now(),
            body=data,
        )
        if change:
            change(request)
        adapter = InProcess(self.app)
        answers = [adapter.send(request) for _ in range(times)]
        return answers[-1]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self.world.store.begin(HUB_SCOPE) as uow:
            return uow.connection.exec_driver_sql(f"select count(*) from {table}").scalar_one()


_NONCES = iter(range(10**9))


def officer_of(uow: SqlUnitOfWork, agency: Participant, name: str = "first") -> str:
    """A member of an agency's staff who holds a key and never logs in; gives his id."""
    member = StaffMember(f"stf-{agency.id}-{name}", agency.id, f"{name}-{agency.id}", name, "agency", "no password")
    uow.staff.add(member)
    return member.id


@pytest.fixture(autouse=True)
def _logs_as_in_the_process() -> Iterator[None]:
    """The walls of the log stand in tests as they do in a server."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    logs.configure("INFO", stream=sys.stdout)
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.fixture
def web_settings() -> Settings:
    return replace(Settings.from_env({}), max_body_bytes=1 << 20)


@pytest.fixture
def api(world: World, web_settings: Settings) -> Iterator[Api]:
    app = create_app(
        App(
            settings=web_settings,
            hub=world.hub,
            store=world.store,
            vault=world.store.vault,
            access=Gate(world.store),
            catalogs=CatalogMemory(world.store),
            clock=world.clock,
            secret_key="s" * 32,
        )
    )
    everybody = (
        [world.hospital(region) for region in REGIONS] + [world.agency(region) for region in REGIONS] + [OPERATOR]
    )
    keys = {who.id: vault.generate_signing_key() for who in everybody}
    with world.store.begin(HUB_SCOPE) as uow:
        uow.participants.add(OPERATOR)
        for who in everybody:
            public = vault.public_key_bytes(keys[who.id])
            holder = officer_of(uow, who) if who.sight is Sight.REGION else None
            uow.participants.add_key(
                ParticipantKey(f"key-{who.id}", who.id, public, START - timedelta(days=1), holder=holder)
            )
    if web_settings.redis_url is None:
        limits.limiter.reset()
    return Api(app, world, keys)


@pytest.fixture
def hospital(api: Api) -> Participant:
    return api.world.hospital(QINZHOU)


@pytest.fixture
def agency(api: Api) -> Participant:
    return api.world.agency(QINZHOU)
