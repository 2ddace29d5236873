"""A browser without JavaScript: fetches a page, fills in its form as a person would, sends it, follows where it leads.

Knows HTML forms and cookies. Must not know any page of the hub: what a form asks for it reads from the form itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

TIMEOUT_SECONDS = 30


class PageProblem(Exception):
    """A page did not answer as a patient would need it to; the message holds what the page says."""


@dataclass(slots=True)
class Form:
    """One form: where it goes, what it holds already (hidden tokens among it), and which fields a person fills in.

    `boxes` are the boxes that can be ticked, with what each says when it is.
    """

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    boxes: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Collects the forms and the visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []
        self._inside: Form | None = None
        self._select = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag in ("style", "script", "head"):
            self._silent += 1
        elif tag == "form":
            self._inside = Form(found.get("action", ""), found.get("method", "get").lower())
            self.forms.append(self._inside)
        elif self._inside is not None:
            self._field(self._inside, tag, found, present={name for name, _ in attrs})

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "head"):
            self._silent -= 1
        elif tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.text.append(data.strip())

    def _field(self, form: Form, tag: str, found: Mapping[str, str], *, present: set[str]) -> None:
        name = found.get("name", "")
        kind = found.get("type", "text")
        if tag == "select":
            self._select = name
            form.fields.add(name)
        elif tag == "option" and self._select and "selected" in present:
            form.values[self._select] = found.get("value", "")
        elif tag == "textarea" and name:
            form.fields.add(name)
            form.values[name] = ""
        elif tag == "input" and name and kind not in ("submit", "button", "image"):
            form.fields.add(name)
            if kind == "checkbox":
                form.boxes[name] = found.get("value", "on")
            if kind not in ("radio", "checkbox") or "checked" in present:
                form.values[name] = found.get("value", "on" if kind == "checkbox" else "")


class Browser:
    """One person's browser: its cookies, and the page it shows."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._session = requests.Session()
        # What is set for the machine's browsers, proxies above all, is not meant for the machine itself.
        self._session.trust_env = False
        self._session.headers["Accept"] = "text/html"
        self._page = _Reader()
        self.url = origin

    def open(self, path: str) -> None:
        """Fetch a page, following redirects."""
        self._show(self._session.get(urljoin(self._origin, path), timeout=TIMEOUT_SECONDS))

    def send(self, **filled: str) -> None:
        """Fill in the form that has all these fields, tick its boxes, and send it with whatever else it holds."""
        form = next((one for one in self._page.forms if one.method == "post" and filled.keys() <= one.fields), None)
        if form is None:
            raise PageProblem(f"{self.url} has no form with {', '.join(filled) or 'a button'}: {self.text[:300]}")
        self._show(
            self._session.post(
                urljoin(self.url, form.action or self.url),
                data={**form.values, **form.boxes, **filled},
                headers={"Referer": self.url},
                timeout=TIMEOUT_SECONDS,
            )
        )

    @property
    def text(self) -> str:
        """What a reader sees of the page, in one line."""
        return " ".join(self._page.text)

    @property
    def fields(self) -> set[str]:
        """Every field of every form that the page sends."""
        return {name for form in self._page.forms if form.method == "post" for name in form.fields}

    def _show(self, answer: requests.Response) -> None:
        self.url = answer.url
        self._page = _Reader()
        self._page.feed(answer.text)
        if answer.status_code != requests.codes.ok:
            raise PageProblem(f"{answer.url} answered {answer.status_code}: {self.text[-600:]}")
