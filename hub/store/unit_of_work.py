"""One transaction and all shelves that work in it.

Knows which shelf stands under which name. Must not know what any of them does.
Sources: the ports; the shelves beyond them (access, catalogs, roster) serve the shells.
"""

from __future__ import annotations

from sqlalchemy import Connection

from hub.ports import store as ports
from hub.store.access import Participants, RosterShelf, Staff, WebSessions
from hub.store.audit import Audit
from hub.store.bills import Bills
from hub.store.catalog_shelf import CatalogShelf
from hub.store.changes import Changes
from hub.store.clearing import Clearing
from hub.store.ledger import Ledger
from hub.store.matching import Matching
from hub.store.messages import Idempotency, Inbox, Jobs, Outbox
from hub.store.people import Institutions, Persons
from hub.store.registrations import Registrations
from hub.store.statements import Statements
from hub.store.visits import Visits
from hub.store.waiting import Waiting
from hub.store.windows import Windows
from hub.store.years import Years
from hub.vault import Vault


class SqlUnitOfWork:
    """The port `UnitOfWork` on one connection; opened by `SqlStore.begin` only."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self.connection = connection
        self.persons: ports.Persons = Persons(connection, vault)
        self.institutions: ports.Institutions = Institutions(connection, vault)
        self.registrations: ports.Registrations = Registrations(connection, vault)
        self.visits: ports.Visits = Visits(connection, vault)
        self.bills: ports.Bills = Bills(connection, vault)
        self.years: ports.Years = Years(connection, vault)
        self.ledger: ports.Ledger = Ledger(connection, vault)
        self.windows: ports.Windows = Windows(connection, vault)
        self.clearing: ports.Clearing = Clearing(connection, vault)
        self.statements: ports.Statements = Statements(connection, vault)
        self.matching: ports.Matching = Matching(connection, vault)
        self.outbox: ports.Outbox = Outbox(connection, vault)
        self.inbox: ports.Inbox = Inbox(connection, vault)
        self.idempotency: ports.Idempotency = Idempotency(connection, vault)
        self.audit: ports.Audit = Audit(connection, vault)
        self.jobs: ports.Jobs = Jobs(connection, vault)
        self.changes = Changes(connection, vault)
        self.waiting = Waiting(connection, vault)
        self.participants = Participants(connection, vault)
        self.staff = Staff(connection, vault)
        self.sessions = WebSessions(connection, vault)
        self.roster = RosterShelf(connection, vault)
        self.catalogs = CatalogShelf(connection, vault)
