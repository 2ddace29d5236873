"""A roster and a journal that live in memory and keep what they promise; for gateways that the hub answers itself."""

from hub.core.errors import Inconsistent


class MemoryRoster:
    """Members by region and identity number; a name that does not fit finds nobody."""

    def __init__(self):
        self._members = {}

    def enrol(self, region, *, identity, name, coverage):
        self._members[region, identity.number] = (name, coverage)

    def find(self, region, *, identity, name, on):
        known_name, coverage = self._members.get((region, identity.number), (None, None))
        return coverage if known_name == name else None


class MemoryJournal:
    """Bookings by region and event; the same event twice is one booking."""

    def __init__(self):
        self._bookings = {}

    def book(self, region, booking):
        known = self._bookings.setdefault((region, booking.event_id), booking)
        if known != booking:
            raise Inconsistent("booking_differs", f"event {booking.event_id} was booked with other content")

    def booked(self, region, *, day):
        return [
            booking for (owner, _), booking in self._bookings.items() if owner == region and booking.booked_on == day
        ]
