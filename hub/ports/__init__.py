"""What the actions need from outside, as protocols with few methods.

Knows the shapes of the unit of work, the region gateway, the clock and their records.
Must not know any implementation: wiring puts them together.
"""

from hub.ports.records import HUB_SCOPE, Participant, Scope, Sight
from hub.ports.regions import Booking, BookingJournal, Clock, RegionGateway, Roster
from hub.ports.store import Store, UnitOfWork

__all__ = [
    "HUB_SCOPE",
    "Booking",
    "BookingJournal",
    "Clock",
    "Participant",
    "RegionGateway",
    "Roster",
    "Scope",
    "Sight",
    "Store",
    "UnitOfWork",
]
