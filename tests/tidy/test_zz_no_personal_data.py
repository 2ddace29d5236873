"""The last test of a run: nothing that the suite printed or logged held personal data."""

from __future__ import annotations

from hub.settings import Settings
from tests import log_watch


def test_the_watch_knows_a_name_a_number_and_a_phone_when_it_sees_them():
    person = log_watch.PERSONS["Wei"]

    assert log_watch.personal_data_in(f"admitted {person.name}") == "a name"
    assert log_watch.personal_data_in(f"number {person.identity.number}.") == "an identity number"
    assert log_watch.personal_data_in(f"call {person.phone}") == "a phone number"
    assert log_watch.personal_data_in("bil-01jd3x5v2m8q0c6k4t7w9y1z3b of 2026-10-20, 5225.00") is None


def test_no_log_line_of_the_whole_suite_holds_personal_data(settings: Settings):
    log_watch.watch_files(settings.state_dir)

    assert log_watch.found == []
