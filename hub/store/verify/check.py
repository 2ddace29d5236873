"""What a named check is, and how all of them are run over a database.

Knows names, invariants, findings and their count. Must not know any table. A check only reads; it looks at records as
they are stored, not through the application, and as the role that owns the tables. Source: design section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from hub.core.codes import Region
from hub.core.errors import HubError
from hub.core.statement import Statement
from hub.ports import RegionGateway
from hub.vault import Vault

MOST_FINDINGS = 5
"""How many findings a result names; they show where to look, not how much is wrong."""

_ROWS_AT_A_TIME = 500

Render = Callable[[Statement], Mapping[tuple[str, str], bytes]]
"""All documents of a statement, by kind and media type."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check came out: how many things it looked at and the first few that are wrong.

    `skipped` says what was not given to look with; a skipped check has proved nothing and is not ok.
    """

    name: str
    invariant: int
    ok: bool
    findings: tuple[str, ...]
    counted: int
    skipped: str = ""


@dataclass(slots=True)
class Inspection:
    """One check at work: what it may use, and what it has seen so far."""

    connection: Connection
    vault: Vault
    gateways: Mapping[Region, RegionGateway] | None = None
    render: Render | None = None
    findings: list[str] = field(default_factory=list)
    counted: int = 0
    skipped: str = ""

    def found(self, what: str) -> None:
        """Note something wrong; beyond the first few it is only known that there is more."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(what)

    def rows(self, sql: str, **values: Any) -> Iterator[Row[Any]]:
        """Rows of a query as they come, so that memory stays small however many there are."""
        with self.connection.execute(
            text(sql), values, execution_options={"stream_results": True, "yield_per": _ROWS_AT_A_TIME}
        ) as found:
            yield from found

    def count(self, sql: str) -> None:
        """Add the one number that a query gives to what was looked at."""
        self.counted += int(self.connection.execute(text(sql)).scalar_one())

    def find(self, sql: str, **values: Any) -> None:
        """Note the one text of each row that a query gives; the query looks for what is wrong."""
        first = self.connection.execute(
            text(f"select wrong from ({sql}) as found (wrong) limit {MOST_FINDINGS}"), values
        )
        for what in first.scalars():
            self.found(what)


@dataclass(frozen=True, slots=True)
class Check:
    """A named check of one invariant (its number in design section 4); the title is a sentence that should be true."""

    name: str
    invariant: int
    title: str
    look: Callable[[Inspection], None]


def run_checks(
    checks: Sequence[Check],
    connection: Connection,
    vault: Vault,
    *,
    gateways: Mapping[Region, RegionGateway] | None,
    render: Render | None,
) -> list[CheckResult]:
    """Run checks in their order, each in a savepoint of its own, so that one that breaks down lets the others run."""
    return [_run(check, Inspection(connection, vault, gateways, render)) for check in checks]


def _run(check: Check, inspection: Inspection) -> CheckResult:
    savepoint = inspection.connection.begin_nested()
    try:
        check.look(inspection)
    except Exception as error:  # noqa: BLE001 - records that cannot even be read are a finding like any other.
        inspection.found(f"cannot be checked: {_named(error)}")
    finally:
        savepoint.rollback()
    return CheckResult(
        name=check.name,
        invariant=check.invariant,
        ok=not inspection.findings and not inspection.skipped,
        findings=tuple(inspection.findings),
        counted=inspection.counted,
        skipped=inspection.skipped,
    )


def _named(error: Exception) -> str:
    """What went wrong, without PostgreSQL's own message: it may quote a row."""
    if isinstance(error, HubError):
        return str(error)
    if isinstance(error, DBAPIError):
        return f"PostgreSQL says {getattr(error.orig, 'sqlstate', 'nothing')}"
    return type(error).__name__
