"""The interface described for people: pages made on the server from the OpenAPI document itself.

Knows the document. Must not know any operation: what is not in the document is not on the page.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import flask
import orjson
from markupsafe import Markup, escape

from hub.web.api.blueprint import HubApi
from hub.web.errors import STATUS, TITLES
from hub.web.guards import public

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    signed: bool
    parameters: list[dict[str, Any]]
    body: dict[str, Any] | None
    example: str
    answers: list[dict[str, Any]]


def register(app: flask.Flask, api: HubApi) -> None:
    """Serve the document at /openapi.json and the page at /docs. Both are made once: they never change while we run."""
    document: dict[str, Any] = api.spec.to_dict()
    raw = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    blueprint = flask.Blueprint(
        "docs", __name__, template_folder="templates", static_folder="static", static_url_path="/docs/static"
    )

    blueprint.add_app_template_filter(_marked, "marked")

    @blueprint.get("/openapi.json")
    @public("the description of the interface holds nobody's data")
    def openapi() -> flask.Response:
        return flask.Response(raw, mimetype="application/json")

    @blueprint.get("/docs")
    @public("the description of the interface holds nobody's data")
    def index() -> str:
        return flask.render_template("docs/index.html", **_page(document))

    app.register_blueprint(blueprint)


_MARKS = re.compile(r"\*\*(?P<strong>[^*]+)\*\*|`(?P<code>[^`]+)`")


_ELEMENTS = {"strong": Markup("<strong>{}</strong>"), "code": Markup("<code>{}</code>")}


def _marked(text: str) -> Markup:
    """The two marks of the description, bold and code, as elements; everything else escaped."""
    parts = []
    at = 0
    for found in _MARKS.finditer(text):
        name = str(found.lastgroup)
        parts += [escape(text[at : found.start()]), _ELEMENTS[name].format(found[name])]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


def _page(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.get("components", {}).get("schemas", {})
    groups: dict[str, list[Operation]] = {tag["name"]: [] for tag in document.get("tags", [])}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                found = _operation(document, path, method, item)
                groups.setdefault(item[method]["tags"][0], []).append(found)
    return {
        "info": document["info"],
        "paragraphs": document["info"]["description"].split("\n\n"),
        "tags": document.get("tags", []),
        "groups": groups,
        "schemas": {name: {**schema, "rows": _rows(schema)} for name, schema in sorted(schemas.items())},
        "statuses": sorted({int(status): TITLES[int(status)] for status in STATUS.values()}.items()),
    }


def _operation(document: dict[str, Any], path: str, method: str, item: dict[str, Any]) -> Operation:
    found = item[method]
    parameters = [_resolved(document, one) for one in (*item.get("parameters", ()), *found.get("parameters", ()))]
    body = found.get("requestBody", {}).get("content", {}).get("application/json")
    answers = []
    for status, answer in sorted(found["responses"].items()):
        described = _resolved(document, answer)
        answers.append(
            {
                "status": status,
                "description": described.get("description", ""),
                "kinds": [
                    (kind, _type(content.get("schema", {}))) for kind, content in described.get("content", {}).items()
                ],
            }
        )
    return Operation(
        anchor=f"{method}-{path.strip('/').translate(str.maketrans('/{}', '---')).replace('--', '-')}".rstrip("-"),
        method=method.upper(),
        path=path,
        summary=found.get("summary", ""),
        description=found.get("description", ""),
        signed=bool(found.get("security")),
        parameters=[{**one, "type": _type(one.get("schema", {}))} for one in parameters],
        body=_type(body["schema"]) if body else None,
        example=json.dumps(body["example"], ensure_ascii=False, indent=2) if body and "example" in body else "",
        answers=answers,
    )


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def _rows(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of a schema; those of rows inside follow their array, indented."""
    required = schema.get("required", ())
    rows = []
    for name, field in schema.get("properties", {}).items():
        rows.append({"name": name, "required": name in required, "field": field, "type": _type(field)})
        inner = field.get("items", {})
        if "properties" in inner:
            rows += [{**row, "name": f"{name}[].{row['name']}"} for row in _rows(inner)]
    return rows


def _type(schema: dict[str, Any]) -> dict[str, Any]:
    """A type in words, with the schema that it refers to."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return {"words": name, "ref": name}
    if "anyOf" in schema:
        parts = [_type(one) for one in schema["anyOf"]]
        return {
            "words": " or ".join(part["words"] for part in parts),
            "ref": next((p["ref"] for p in parts if p["ref"]), None),
        }
    kind = schema.get("type", "any")
    words = " or ".join(kind) if isinstance(kind, list) else kind
    if kind == "array":
        inner = _type(schema.get("items", {}))
        return {"words": f"array of {inner['words']}", "ref": inner["ref"]}
    if schema.get("format"):
        words += f" ({schema['format']})"
    return {"words": words, "ref": None}
