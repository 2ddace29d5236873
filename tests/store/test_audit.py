"""The audit chain: every way to falsify it is found, at its place."""

from __future__ import annotations

from threading import Thread

import pytest
from sqlalchemy import text

from hub.ports import HUB_SCOPE
from hub.store.audit import Break, Head, head, verify_chain
from tests.store.rows import NOON, QINZHOU, region_scope


def write(store, *subjects):
    for subject in subjects:
        with store.begin(HUB_SCOPE) as uow:
            uow.audit.write(actor="officer", action="looked", subject=subject, at=NOON, facts={"why": "复核"})


def seal(store):
    with store.begin(HUB_SCOPE) as uow:
        return uow.audit.seal()


@pytest.fixture
def ids(store, owner):
    """Numbers of five chained rows; the owner's connection may change what it likes."""
    write(store, "s1", "s2", "s3", "s4", "s5")
    seal(store)
    for table in ("audit", "audit_link"):
        owner.execute(text(f"alter table {table} disable trigger user"))
    for constraint in ("audit_link_audit_id_fkey", "audit_link_seq_check"):
        owner.execute(text(f"alter table audit_link drop constraint {constraint}"))
    return owner.execute(text("select id from audit order by id")).scalars().all()


def broken(owner, store, **noted):
    return verify_chain(owner, store.vault, **noted)


def test_a_sound_chain_has_no_break(store, owner, ids):
    assert broken(owner, store) is None


def test_an_empty_chain_has_no_break(store, owner):
    store.vault.prepare()

    assert broken(owner, store) is None


def test_sealing_chains_each_row_once(store):
    write(store, "s1", "s2")

    assert (seal(store), seal(store)) == (2, 0)


def test_rows_written_after_sealing_follow_in_the_chain(store, owner):
    write(store, "s1")
    seal(store)
    write(store, "s2")
    seal(store)

    assert broken(owner, store) is None
    assert head(owner).seq == 2


def test_a_row_that_commits_late_is_chained_later(store, owner):
    with store.begin(HUB_SCOPE) as slow:
        slow.audit.write(actor="a", action="b", subject="slow", at=NOON, facts={})
        write(store, "quick")
        seal(store)
    seal(store)

    chained = owner.execute(text("select subject from audit_link join audit on id = audit_id order by seq")).scalars()

    assert chained.all() == ["quick", "slow"]
    assert broken(owner, store) is None


def test_sealing_at_once_does_not_fork_the_chain(store, owner):
    write(store, *(f"s{number}" for number in range(30)))
    threads = [Thread(target=seal, args=(store,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert broken(owner, store) is None
    assert head(owner).seq == 30


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'nobody'",
        "action = 'x'",
        "subject = 'x'",
        "facts = '{}'",
        "at = at + interval '1 microsecond'",
    ],
)
def test_a_changed_row_is_found(store, owner, ids, change):
    owner.execute(text(f"update audit set {change} where id = :id"), {"id": ids[2]})

    assert broken(owner, store) == Break(3, ids[2], "the row was changed")


def test_a_deleted_row_is_found(store, owner, ids):
    owner.execute(text("delete from audit where id = :id"), {"id": ids[1]})

    assert broken(owner, store) == Break(2, ids[1], "the row was deleted")


def test_a_row_deleted_with_its_link_is_found(store, owner, ids):
    owner.execute(text("delete from audit_link where audit_id = :id"), {"id": ids[1]})
    owner.execute(text("delete from audit where id = :id"), {"id": ids[1]})

    assert broken(owner, store) == Break(2, ids[2], "a link is missing")


def test_a_row_taken_out_and_the_rest_moved_up_is_found(store, owner, ids):
    owner.execute(text("delete from audit_link where audit_id = :id"), {"id": ids[1]})
    owner.execute(text("update audit_link set seq = -seq where seq > 2"))
    owner.execute(text("update audit_link set seq = -seq - 1 where seq < 0"))

    assert broken(owner, store) == Break(2, ids[2], "the link does not follow the one before")


def test_a_row_put_in_between_is_found(store, owner, ids):
    owner.execute(text("update audit_link set seq = -seq where seq > 2"))
    owner.execute(text("update audit_link set seq = -seq + 1 where seq < 0"))
    owner.execute(
        text(
            """
            with forged as (
                insert into audit (at, actor, action, subject, facts) values (now(), 'a', 'b', 'c', '{}') returning id
            )
            insert into audit_link (seq, audit_id, previous, digest)
            select 3, forged.id, link.digest, sha256('forged') from forged, audit_link as link where link.seq = 2
            """
        )
    )

    found = broken(owner, store)

    assert found is not None
    assert (found.seq, found.why) == (3, "the row was changed")


def test_two_rows_exchanged_are_found(store, owner, ids):
    owner.execute(text("update audit_link set audit_id = -audit_id where seq in (2, 3)"))
    owner.execute(text("update audit_link set audit_id = :id where seq = 2"), {"id": ids[2]})
    owner.execute(text("update audit_link set audit_id = :id where seq = 3"), {"id": ids[1]})

    assert broken(owner, store) == Break(2, ids[2], "the row was changed")


def test_a_chain_cut_at_its_end_is_found(store, owner, ids):
    owner.execute(text("delete from audit_link where seq > 3"))

    assert broken(owner, store) == Break(4, None, "links are missing at the end")


def test_a_chain_cut_together_with_its_head_is_found(store, owner, ids):
    owner.execute(text("delete from audit_link where seq > 3"))
    owner.execute(text("update audit_head set seq = 3, digest = (select digest from audit_link where seq = 3)"))

    assert broken(owner, store) == Break(3, None, "the head was not written by the hub")


def test_a_chain_emptied_together_with_its_head_is_found_by_a_noted_head(store, owner, ids):
    noted = head(owner)
    owner.execute(text("delete from audit_link"))
    owner.execute(text("update audit_head set seq = 0, digest = '', mark = null"))

    assert broken(owner, store, noted=noted) == Break(1, None, "the chain is shorter than when its head was noted")


def test_another_chain_of_the_same_length_is_found_by_a_noted_head(store, owner, ids):
    assert broken(owner, store, noted=head(owner)) is None
    assert broken(owner, store, noted=Head(3, b"x" * 32)) == Break(
        3, ids[2], "the chain is not the one whose head was noted"
    )


def test_a_missing_head_is_found(store, owner, ids):
    owner.execute(text("delete from audit_head"))

    assert broken(owner, store) == Break(6, None, "links are missing at the end")


def test_a_region_writes_into_the_log_and_does_not_read_it(store):
    with store.begin(region_scope(QINZHOU)) as uow:
        uow.audit.write(actor="officer", action="looked", subject="s1", at=NOON, facts={})

        assert uow.connection.execute(text("select count(*) from audit")).scalar_one() == 0
    assert seal(store) == 1
