"""The three kinds of error and the list of faults."""

import pytest

from hub.core.errors import Conflict, Fault, Faults, HubError, Inconsistent, NotAllowed, NotFound, Unreachable


def test_an_error_carries_its_code_its_words_and_its_facts():
    error = Conflict("bill_exists", "settled before", facts={"bill_id": "bil_1"})

    assert (error.code, error.message, error.facts) == ("bill_exists", "settled before", {"bill_id": "bil_1"})
    assert str(error) == "bill_exists: settled before"
    assert error.faults == ()


@pytest.mark.parametrize("kind", [NotFound, Conflict])
def test_what_the_caller_can_mend_is_one_kind(kind):
    assert issubclass(kind, NotAllowed)


def test_the_three_kinds_stay_apart():
    kinds = (NotAllowed, Unreachable, Inconsistent)

    assert all(issubclass(kind, HubError) for kind in kinds)
    assert not any(issubclass(one, other) for one in kinds for other in kinds if one is not other)


@pytest.mark.parametrize("transient", [True, False])
def test_a_region_that_does_not_answer_says_whether_to_try_again(transient):
    assert Unreachable("region_timed_out", "no answer", transient=transient).transient is transient


def test_every_fault_of_a_document_is_told_at_once():
    faults = Faults()
    faults.add("total", "total_differs", "does not add up")
    faults.add("lines[0].kind", "kind_not_billable", "no fee")

    with pytest.raises(NotAllowed) as refused:
        faults.stop_if_any("bill_faulty", "mend and send again")

    assert refused.value.code == "bill_faulty"
    assert refused.value.faults[1] == Fault("lines[0].kind", "kind_not_billable", "no fee")


def test_a_document_without_a_fault_passes():
    assert Faults().stop_if_any("bill_faulty", "mend and send again") is None
