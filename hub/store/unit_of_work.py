"""One transaction and all shelves that work in it.

Knows which shelf stands under which name. Must not know what any of them does.
Sources: the ports; the shelves beyond them (access, catalogs, roster) serve the shells.
"""

from __future__ import annotations

from sqlalchemy import Connection

from hub.store.access import Participants, RosterShelf, Staff, WebSessions
from hub.store.audit import Audit
from hub.store.bills import Bills
from hub.store.catalogs import CatalogShelf
from hub.store.clearing import Clearing
from hub.store.ledger import Ledger
from hub.store.matching import Matching
from hub.store.messages import Idempotency, Inbox, Jobs, Outbox
from hub.store.people import Institutions, Persons
from hub.store.registrations import Registrations
from hub.store.statements import Statements
from hub.store.visits import Visits
from hub.store.windows import Windows
from hub.store.years import Years
from hub.vault import Vault


class SqlUnitOfWork:
    """The port `UnitOfWork` on one connection; opened by `SqlStore.begin` only."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self.connection = connection
        self.persons = Persons(connection, vault)
        self.institutions = Institutions(connection, vault)
        self.registrations = Registrations(connection, vault)
        self.visits = Visits(connection, vault)
        self.bills = Bills(connection, vault)
        self.years = Years(connection, vault)
        self.ledger = Ledger(connection, vault)
        self.windows = Windows(connection, vault)
        self.clearing = Clearing(connection, vault)
        self.statements = Statements(connection, vault)
        self.matching = Matching(connection, vault)
        self.outbox = Outbox(connection, vault)
        self.inbox = Inbox(connection, vault)
        self.idempotency = Idempotency(connection, vault)
        self.audit = Audit(connection, vault)
        self.jobs = Jobs(connection, vault)
        self.participants = Participants(connection, vault)
        self.staff = Staff(connection, vault)
        self.sessions = WebSessions(connection, vault)
        self.roster = RosterShelf(connection, vault)
        self.catalogs = CatalogShelf(connection, vault)
