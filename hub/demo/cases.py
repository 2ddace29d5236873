"""How each special case is played at the hospital's desk, and how it should end.

Knows the messages of each case and what the story expects of the answers. Must not know when it is played.
An expectation that does not hold is noted and the play goes on, so that the end lists all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from hub.client import Problem
from hub.core.bill import Bill
from hub.core.money import ZERO, Money, total, yuan
from hub.demo.bills import without_last_line
from hub.demo.desks import Desk, Json
from hub.demo.report import Outcome, amount
from hub.demo.story import CLOSE_DAY, NEXT_PERIOD, PERIOD, PLAYED_DAY, Stay, Tale

BASIC_CAP = yuan("250000.00")
CATASTROPHIC_CAP = yuan("1000000.00")
"""The two yearly caps of Jiangning's policy (P01); its pages show the article."""


@dataclass(slots=True)
class Notes:
    """What was expected and did not happen, and what became of the special cases. Several threads write."""

    differed: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            with self._lock:
                self.differed.append(what)

    def tell(self, tale: Tale, answers: Sequence[Json], sentence: str, *, stands: bool = True) -> None:
        """Note how a case ended; `answers` are its bills, and `stands` is False where they were taken back."""
        outcome = Outcome(
            tale=str(tale),
            bill_ids=tuple(answer["id"] for answer in answers),
            total=total(yuan(answer["amounts"]["total"]) for answer in answers),
            fund_total=total(fund_total(answer) for answer in answers),
            stands=stands,
            sentence=sentence,
        )
        with self._lock:
            self.outcomes.append(outcome)


def fund_total(answer: Json) -> Money:
    return yuan(answer["split"]["fund_total"])


def paid_by(answers: Sequence[Json], fund: str) -> Money:
    return total(
        yuan(share["amount"]) for answer in answers for share in answer["split"]["funds"] if share["fund"] == fund
    )


def play_case(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    """Send the bill of a stay on its day, in the way of its tale."""
    CASES[stay.tale](desk, stay, bill, notes)


def _ordinary(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    answer = desk.settle(stay, bill)
    notes.expect(
        yuan(answer["amounts"]["total"]) == bill.total and fund_total(answer) > ZERO,
        f"ordinary bill {bill.bill_no} of {bill.total}: the funds pay {answer['split']['fund_total']}",
    )


def _costly(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    """One of the costly stays; what its year comes to is told by `tell_yearly_cap`."""
    answer = desk.settle(stay, bill)
    notes.expect(yuan(answer["amounts"]["total"]) == bill.total, f"bill {bill.bill_no} was settled with another total")


def _unmapped(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    answer = desk.settle(stay, bill)
    line = _line(desk.client.bill(answer["id"]), bill.lines[-1].line_no)
    notes.expect(
        line["outcome"] == "unmapped" and line["full_self_pay"] == line["amount"],
        f"the unmapped line {line['code']} came out as {line['outcome']}",
    )
    notes.tell(
        stay.tale,
        [answer],
        f"line {line['line_no']} ({line['code']} {line['name']}, {amount(bill.lines[-1].amount)}) has no national code"
        " yet: the patient pays it whole and reads why; the rest is settled as usual",
    )


def _return(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    answer = desk.settle(stay, bill)
    whole = desk.client.bill(answer["id"])
    back = bill.lines[-1]
    line = _line(whole, back.line_no)
    notes.expect(
        yuan(line["amount"]) == back.amount and back.amount < ZERO and line["outcome"] == "covered",
        f"the return line {back.line_no} came out as {line['outcome']}, {line['amount']}",
    )
    notes.tell(
        stay.tale,
        [answer],
        f"one pack of line {back.returns} ({line['name']}) was given back: line {back.line_no} takes"
        f" {amount(back.amount)} off the bill, divided as the line it undoes",
    )


def _duplicate(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    key = f"settle-{bill.bill_no}-sent-twice"
    first = desk.settle(stay, bill, key=key)
    second = desk.settle(stay, bill, key=key)
    notes.expect(first == second, "the same message sent twice was answered differently")
    code = _refused(lambda: desk.settle(stay, bill, key=f"settle-{bill.bill_no}-new-key")).code
    notes.expect(code == "bill_exists", f"the same bill under a new key ended with {code or 'a settlement'}")
    notes.tell(
        stay.tale,
        [first],
        "sent twice under one key: one bill, the same answer to the letter; sent again under a new key: refused"
        f" ({code}), nothing booked",
    )


def _cancel_same_day(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    wrong = desk.settle(stay, bill)
    undone = desk.cancel(wrong["id"], reason="一项费用录入有误", day=PLAYED_DAY, period=str(PERIOD))
    corrected = without_last_line(bill)
    right = desk.settle(stay, corrected, revision=2)
    notes.expect(undone["state"] == "cancelled", f"the cancelled bill is {undone['state']}")
    notes.expect(yuan(right["amounts"]["total"]) == corrected.total, "the second revision has another total")
    notes.tell(
        stay.tale,
        [right],
        f"{wrong['id']} ({amount(bill.total)}) was cancelled within the day and sent again corrected as revision 2:"
        " October counts only the second",
    )


def _emergency(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    answer = desk.settle(stay, bill)
    notes.expect(answer["registration_id"] is None, "the emergency rests on a registration that nobody filed")
    notes.expect(fund_total(answer) > ZERO, "the emergency was settled without any fund")
    notes.tell(
        stay.tale, [answer], "nobody had registered; the hospital's emergency flag counts as registered (article 34)"
    )


def _refused_registration(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    problem = _refused(lambda: desk.settle(stay, bill))
    notes.expect(
        problem.code == "refused_by_region" and problem.facts.get("reason") == "not_registered",
        f"the bill of the refused registration ended with {problem.code or 'a settlement'} {problem.facts}",
    )
    notes.tell(
        stay.tale,
        [],
        "the officer refused the registration at the workbench; the patient went all the same, and Jiangning settles"
        f" nothing directly: {problem.facts.get('words_zh', problem.detail)}",
    )


def _rule_not_stated(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    problem = _refused(lambda: desk.settle(stay, bill))
    notes.expect(
        problem.code == "refused_by_region" and problem.facts.get("reason") == "rule_missing",
        f"the bill beyond Huangshan's policy ended with {problem.code or 'a settlement'} {problem.facts}",
    )
    notes.tell(
        stay.tale,
        [],
        f"{amount(bill.total)} yuan: Huangshan's published text states no yearly cap, so beyond 50,000 of benefit the"
        f" hub pays nothing it cannot prove: {problem.facts.get('words_zh', problem.detail)}",
    )


CASES: Mapping[Tale, Callable[[Desk, Stay, Bill, Notes], None]] = {
    **dict.fromkeys(
        (
            *(Tale.ORDINARY, Tale.CANCEL_AFTER_CLOSE, Tale.LATE_BILL, Tale.LEFT_OUT, Tale.MISREPORTED),
            Tale.OPEN_WINDOW,
        ),
        _ordinary,
    ),
    Tale.YEARLY_CAP: _costly,
    Tale.UNMAPPED_LINE: _unmapped,
    Tale.RETURN_LINE: _return,
    Tale.DUPLICATE: _duplicate,
    Tale.CANCEL_SAME_DAY: _cancel_same_day,
    Tale.EMERGENCY: _emergency,
    Tale.REFUSED: _refused_registration,
    Tale.RULE_NOT_STATED: _rule_not_stated,
}
"""How the bill of each tale is sent. Cases that end later are told later."""


# --- cases that end after the played day ---------------------------------------------------------------------------


def tell_yearly_cap(desk: Desk, stays: Sequence[Stay], notes: Notes) -> None:
    """The year of the person with three costly stays, told once the third is settled."""
    bills = [desk.client.bill(_bill_id(desk, stay)) for stay in stays]
    basic, catastrophic = paid_by(bills, "390100"), paid_by(bills, "390200")
    notes.expect(basic == BASIC_CAP, f"the basic fund paid {basic} in the year, not its cap of {BASIC_CAP}")
    notes.expect(
        catastrophic == CATASTROPHIC_CAP, f"the second layer paid {catastrophic}, not its cap of {CATASTROPHIC_CAP}"
    )
    last = bills[-1]
    notes.tell(
        Tale.YEARLY_CAP,
        bills,
        f"the first bill used up the basic cap of {amount(BASIC_CAP)}, the third the second layer's"
        f" {amount(CATASTROPHIC_CAP)}: of its {amount(yuan(last['amounts']['in_policy']))} in policy the funds still"
        f" pay {amount(fund_total(last))}",
    )


def play_late_bill(desk: Desk, stay: Stay, bill: Bill, notes: Notes) -> None:
    """A bill of October that comes after October was closed."""
    answer = desk.settle(stay, bill)
    notes.expect(
        answer["period"] == str(NEXT_PERIOD) and answer["months_late"] == 1,
        f"the late bill fell into {answer['period']}, {answer['months_late']} months late",
    )
    notes.tell(
        stay.tale,
        [answer],
        f"discharged on {stay.discharged_on}, sent on {CLOSE_DAY} after the close: it joins {answer['period']}, marked"
        " one month late",
    )


def play_cancel_after_close(desk: Desk, stay: Stay, notes: Notes) -> None:
    """A bill of the closed October is cancelled in November."""
    bill_id = _bill_id(desk, stay)
    answer = desk.cancel(bill_id, reason="出院后复核:医保类型选择错误", day=CLOSE_DAY, period=str(NEXT_PERIOD))
    notes.expect(answer["state"] == "cancelled", f"the bill cancelled after the close is {answer['state']}")
    notes.tell(
        stay.tale,
        [answer],
        f"cancelled on {CLOSE_DAY}: October stays as it was closed, to the byte; -{amount(fund_total(answer))} joins"
        f" {NEXT_PERIOD}",
        stands=False,
    )


def _bill_id(desk: Desk, stay: Stay) -> str:
    event = next(one.event_id for one in desk.book if one.stay == stay)
    return event.partition("/")[0]


def _line(bill: Json, line_no: int) -> Json:
    found: Json = next(line for line in bill["lines"] if line["line_no"] == line_no)
    return found


def _refused(send: Callable[[], Any]) -> Problem:
    """What a message that should be refused is refused with; a problem without a code where it was not."""
    try:
        send()
    except Problem as problem:
        return problem
    return Problem(201, {})
