"""Somebody at a browser: opens pages, fills in forms as a browser would, and reads what is shown.

The staff of the little world and the book of areas that gives its regions names are made here, too.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import MappingProxyType

import flask
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from hub.core.codes import CatalogKind
from hub.ports import HUB_SCOPE, Participant
from hub.store.access import StaffMember
from hub.store.catalogs import load_into
from hub.web.sessions import hash_password
from tests.world import JIANGNING, PERSONS, QINZHOU, World, shipped_catalogs

PASSWORD = "correct-horse-battery"
ANSWERS = {
    "insured-place": {"insuring_region": QINZHOU.code},
    "person": {
        "name": PERSONS["Wei"].name,
        "identity": PERSONS["Wei"].identity.number,
        "phone": PERSONS["Wei"].phone,
    },
    "care-place": {"care_region": JIANGNING.code},
    "category": {"category": "long_term_resident"},
    "notice": {"notice_version": "2026-01"},
    "evidence": {"evidence": "promise"},
    "start": {"start": "2026-10-20"},
}
"""What Wei answers, question by question."""


class Visitor:
    """One browser with its cookies."""

    def __init__(self, app: flask.Flask) -> None:
        self.client = app.test_client()
        self.shown = TestResponse([], "200", {}, None)  # type: ignore[arg-type]

    @property
    def text(self) -> str:
        return self.shown.get_data(as_text=True)

    @property
    def words(self) -> str:
        """What a reader sees: the text without tags, entities resolved."""
        return html.unescape(re.sub(r"<[^>]+>", " ", self.text))

    @property
    def title(self) -> str:
        found = re.search(r"<title>(.*?)</title>", self.text)
        return html.unescape(found[1]) if found else ""

    @property
    def status(self) -> int:
        return self.shown.status_code

    def open(self, path: str, *, follow: bool = True) -> Visitor:
        self.shown = self.client.get(path, headers={"Accept": "text/html"}, follow_redirects=follow)
        return self

    def send(self, path: str, values: dict[str, str] | None = None, *, follow: bool = True) -> Visitor:
        """Open a page and send its form, with the form's own token."""
        self.open(path)
        return self.post(path, values, follow=follow)

    def post(self, path: str, values: dict[str, str] | None = None, *, follow: bool = True) -> Visitor:
        """Send a form with the token of the page shown."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.text)
        token = {"csrf_token": found[1]} if found else {}
        self.shown = self.client.post(
            path,
            data={**token, **(values or {})},
            headers={"Accept": "text/html", "Origin": "http://localhost"},
            follow_redirects=follow,
        )
        return self

    def answer(self, *questions: str, **changed: dict[str, str]) -> Visitor:
        """Answer these questions as Wei does, with changed answers where some are given."""
        for question in questions:
            values = {**ANSWERS[question], **changed.get(question.replace("-", "_"), {})}
            self.send(f"/register/{question}", values)
        return self

    def answer_all(self, **changed: dict[str, str]) -> Visitor:
        return self.answer(*ANSWERS, **changed)

    def file(self, **changed: dict[str, str]) -> str:
        """Register as Wei does; gives the reference number."""
        self.answer_all(**changed).send("/register/check")
        found = re.search(r'class="ref code">([^<]+)<', self.text)
        assert found, self.words
        return found[1]

    def sign_in(self, login: str, password: str = PASSWORD) -> Visitor:
        return self.send("/login", {"login": login, "password": password})

    def cookie(self) -> str:
        found = self.client.get_cookie("hub-session")
        return found.value if found else ""


class Fields(HTMLParser):
    """The elements of a page with their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def of(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def hire(world: World, participant: Participant, login: str, *, role: str = "agency") -> str:
    """Give a participant a member of staff; gives his id."""
    member = StaffMember(f"stf-{login}", participant.id, login, f"{login} 同志", role, hash_password(PASSWORD))
    with world.store.begin(HUB_SCOPE) as uow:
        uow.staff.add(member)
    return member.id


def load_areas(owner: Connection) -> None:
    """Load the book of areas alone, so that regions have their names."""
    books = []
    for release in shipped_catalogs().unified_releases:
        areas = {CatalogKind.AREA: release.books[CatalogKind.AREA]}
        books.append(replace(release, books=MappingProxyType(areas), quarantined=()))
    load_into(owner, books, ())
    owner.commit()
