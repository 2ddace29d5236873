"""The booking journal of regions whose policy the hub holds itself.

Knows the table region_booking. Must not know the ledger: this is the insuring side's own memory, which the daily match
compares with the hub's. Source: domain-process section 8.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text

from hub.core.codes import InsuranceType, Region
from hub.core.errors import Inconsistent
from hub.core.money import Money
from hub.ports import Booking, Scope, Sight
from hub.store.engine import SqlStore

_BOOK = text(
    """
    insert into region_booking (event_id, region, bill_id, booked_on, insurance_type, total_fen, fund_total_fen)
    values (:event_id, :region, :bill_id, :booked_on, :insurance_type, :total_fen, :fund_total_fen)
    on conflict do nothing
    returning event_id
    """
)
_SAME = text(
    """
    select count(*) from region_booking
    where event_id = :event_id and region = :region and bill_id = :bill_id and booked_on = :booked_on
        and insurance_type = :insurance_type and total_fen = :total_fen and fund_total_fen = :fund_total_fen
    """
)
_BOOKED = text(
    """
    select event_id, bill_id, booked_on, insurance_type, total_fen, fund_total_fen from region_booking
    where region = :region and booked_on = :day order by event_id collate "C"
    """
)


class SqlBookingJournal:
    """A journal in the hub's own database; each region sees its own rows only. See `hub.ports.BookingJournal`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def book(self, region: Region, booking: Booking) -> None:
        """Book once; another content under the same event raises Inconsistent."""
        values = {
            "event_id": booking.event_id,
            "region": region.code,
            "bill_id": booking.bill_id,
            "booked_on": booking.booked_on,
            "insurance_type": booking.insurance_type.value,
            "total_fen": booking.total.fen,
            "fund_total_fen": booking.fund_total.fen,
        }
        with self._store.begin(Scope(Sight.REGION, region=region.code)) as uow:
            if uow.connection.execute(_BOOK, values).one_or_none() is not None:
                return
            if uow.connection.execute(_SAME, values).scalar_one() == 0:
                raise Inconsistent("booking_differs", f"{booking.event_id} was booked before with another content")

    def booked(self, region: Region, *, day: date) -> Sequence[Booking]:
        """Bookings of a day, ordered by event id."""
        with self._store.begin(Scope(Sight.REGION, region=region.code)) as uow:
            found = uow.connection.execute(_BOOKED, {"region": region.code, "day": day})
            return [
                Booking(
                    event_id=row.event_id,
                    bill_id=row.bill_id,
                    booked_on=row.booked_on,
                    insurance_type=InsuranceType(row.insurance_type),
                    total=Money(row.total_fen),
                    fund_total=Money(row.fund_total_fen),
                )
                for row in found
            ]
