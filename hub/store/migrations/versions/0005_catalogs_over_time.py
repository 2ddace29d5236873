"""Entries with several spans and their limits, conditional mappings, changes decided by two, lines that wait."""

from __future__ import annotations

from alembic import op

from hub.store.migrations.bounds import HUB_ONLY, append_only, bounded

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RELEASES = """
create sequence catalog_version;
comment on sequence catalog_version is
    'Counts releases and decided changes alike: who holds a version asks for what is newer';

create function hub_next_catalog_version(region text) returns bigint language plpgsql as $$
begin
    -- Held to the end of the transaction: of one region no version becomes visible before a smaller one.
    perform pg_advisory_xact_lock(hashtextextended('catalog_version ' || coalesce(region, ''), 0));
    return nextval('catalog_version');
end
$$;

alter table catalog_release add column version bigint default nextval('catalog_version');
alter table catalog_release
    alter column version drop default,
    add constraint catalog_release_version unique (version),
    add constraint catalog_release_versioned check (state = 'importing' or version is not null);
create unique index catalog_release_begins on catalog_release (region, valid_from);

create function hub_version_release() returns trigger language plpgsql as $$
begin
    new.version := hub_next_catalog_version(new.region);
    return new;
end
$$;
create trigger catalog_release_versioned before update of state on catalog_release
    for each row when (new.state = 'ready') execute function hub_version_release();

alter table region_item
    add column payment_standard text check (payment_standard ~ '^[0-9]+(/[1-9][0-9]*)?$'),
    add column first_self_pay_of jsonb,
    add column restriction jsonb,
    add column grace_until date,
    add constraint region_item_grace
        check (grace_until is null or (valid_until is not null and grace_until > valid_until)),
    drop constraint region_item_pkey,
    add constraint region_item_pkey primary key (release_id, kind, code, valid_from);

alter table code_mapping
    add column condition jsonb,
    add column origin text not null default 'imported' check (origin in ('imported', 'suggested', 'manual')),
    add column reason text not null default '',
    add column decider text,
    add column reviewer text,
    add constraint code_mapping_four_eyes check (reviewer <> decider),
    drop constraint code_mapping_pkey,
    add constraint code_mapping_once unique nulls not distinct (release_id, kind, code, valid_from, condition);

create function hub_conditions_meet(one jsonb, other jsonb) returns boolean
    language sql immutable parallel safe
as $$
    select coalesce(one ->> 'sex' = other ->> 'sex', true)
        and coalesce(one ->> 'insurance_type' = other ->> 'insurance_type', true)
        and greatest(coalesce((one ->> 'age_from')::integer, 0), coalesce((other ->> 'age_from')::integer, 0))
            <= least(coalesce((one ->> 'age_to')::integer, 150), coalesce((other ->> 'age_to')::integer, 150))
$$;
comment on function hub_conditions_meet is
    'Whether one person can fulfil two conditions of mappings; as Condition.excludes in hub.core.mapping says it';

create function hub_release_is_sound() returns trigger language plpgsql as $$
declare
    wrong record;
begin
    select one.kind, one.code into wrong
        from region_item as one
        join region_item as other using (release_id, kind, code)
        where release_id = new.id and one.valid_from < other.valid_from
            and (one.valid_until is null or one.valid_until > other.valid_from)
        limit 1;
    if found then
        raise exception 'the % % has two entries on one day', wrong.kind, wrong.code using
            errcode = 'exclusion_violation', constraint = 'region_item_overlap';
    end if;
    -- A mapping without condition stands behind the conditional ones: it clashes with its like only.
    select one.kind, one.code into wrong
        from code_mapping as one
        join code_mapping as other using (release_id, kind, code)
        where release_id = new.id and one.ctid <> other.ctid and one.valid_from <= other.valid_from
            and (one.valid_until is null or one.valid_until > other.valid_from)
            and (one.condition is null) = (other.condition is null)
            and (one.condition is null or hub_conditions_meet(one.condition, other.condition))
        limit 1;
    if found then
        raise exception 'the % % has two mappings for one person on one day', wrong.kind, wrong.code using
            errcode = 'exclusion_violation', constraint = 'code_mapping_overlap';
    end if;
    return null;
end
$$;
create trigger catalog_release_sound after update of state on catalog_release
    for each row when (new.state = 'ready') execute function hub_release_is_sound();
"""

CHANGES = """
create table catalog_change (
    id text primary key,
    region text not null check (region ~ '^[1-9][0-9]{5}$'),
    kind text not null,
    code text not null,
    what text not null check (what in ('entry', 'mapping')),
    says jsonb not null,
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    origin text not null check (origin in ('imported', 'suggested', 'manual')),
    reason text not null,
    score integer check (score between 0 and 1000),
    state text not null
        check (state in ('proposed', 'in_force', 'rejected', 'withdrawn', 'undo_proposed', 'undone')),
    proposed_by text not null,
    proposed_at timestamptz not null,
    decided_order bigint check (decided_order > 0),
    version bigint,
    reviewed_by text,
    reviewed_at timestamptz,
    undo_proposed_by text,
    undo_reviewed_by text,
    constraint catalog_change_order unique (region, decided_order),
    constraint catalog_change_four_eyes check (reviewed_by <> proposed_by),
    constraint catalog_change_undo_four_eyes check (undo_reviewed_by <> undo_proposed_by),
    constraint catalog_change_decided check (
        (state in ('in_force', 'undo_proposed', 'undone')) = (decided_order is not null)
        and (decided_order is null) = (version is null)
    ),
    constraint catalog_change_reviewed check (
        (state in ('proposed', 'withdrawn')) = (reviewed_by is null) and (reviewed_by is null) = (reviewed_at is null)
    ),
    constraint catalog_change_undoing check (
        case state
            when 'undo_proposed' then undo_proposed_by is not null and undo_reviewed_by is null
            when 'undone' then undo_proposed_by is not null and undo_reviewed_by is not null
            when 'in_force' then (undo_proposed_by is null) = (undo_reviewed_by is null)
            else undo_proposed_by is null and undo_reviewed_by is null
        end
    )
);
create unique index catalog_change_waits on catalog_change (region, kind, code, what) where state = 'proposed';
create index catalog_change_code on catalog_change (region, kind, code, id);
create index catalog_change_version on catalog_change (region, version);

create table catalog_change_move (
    change_id text not null references catalog_change,
    move_no integer not null check (move_no > 0),
    source text,
    event text not null,
    target text not null,
    who text not null,
    why text not null,
    at timestamptz not null,
    primary key (change_id, move_no)
);

create function hub_move_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'proposed' then
            raise exception 'a change begins as a proposal' using
                errcode = 'check_violation', constraint = 'catalog_change_legal';
        end if;
        return new;
    end if;
    if (new.id, new.region, new.kind, new.code, new.what, new.says, new.valid_from, new.valid_until, new.origin,
            new.reason, new.score, new.proposed_by, new.proposed_at)
        is distinct from (old.id, old.region, old.kind, old.code, old.what, old.says, old.valid_from, old.valid_until,
            old.origin, old.reason, old.score, old.proposed_by, old.proposed_at)
    then
        raise exception 'what change % says is never changed', old.id using errcode = 'restrict_violation';
    end if;
    if (old.state, new.state) not in (
        ('proposed', 'in_force'), ('proposed', 'rejected'), ('proposed', 'withdrawn'),
        ('in_force', 'undo_proposed'), ('undo_proposed', 'undone'), ('undo_proposed', 'in_force')
    ) then
        raise exception 'change % is % and cannot become %', old.id, old.state, new.state using
            errcode = 'check_violation', constraint = 'catalog_change_legal';
    end if;
    new.decided_order := old.decided_order;
    new.version := old.version;
    if old.state = 'proposed' and new.state = 'in_force' then
        -- Decisions of one region queue here, so that each sees the order that the one before took.
        new.version := hub_next_catalog_version(new.region);
        new.decided_order := (
            select coalesce(max(decided_order), 0) + 1 from catalog_change where region = new.region
        );
    elsif new.state = 'undone' then
        new.version := hub_next_catalog_version(new.region);
    end if;
    if old.state <> 'proposed' and (new.reviewed_by, new.reviewed_at)
        is distinct from (old.reviewed_by, old.reviewed_at)
    then
        raise exception 'who reviewed change % is never changed', old.id using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
comment on function hub_move_change is 'Legal moves only, and the decisions of a region are numbered without gaps';
create trigger catalog_change_legal before insert or update on catalog_change
    for each row execute function hub_move_change();
create trigger catalog_change_kept before delete or truncate on catalog_change
    for each statement execute function hub_refuse_change();

create function hub_change_move_fits() returns trigger language plpgsql as $$
declare
    told catalog_change;
    ended text;
    noted text;
begin
    select * into told from catalog_change where id = new.change_id;
    select target into ended from catalog_change_move
        where change_id = new.change_id and move_no = new.move_no - 1;
    noted := case
        when new.event = 'proposed' then told.proposed_by
        when new.event in ('approved', 'rejected') then told.reviewed_by
        when new.event = 'undo_proposed' then told.undo_proposed_by
        when new.event in ('undone', 'undo_refused') then told.undo_reviewed_by
        else new.who
    end;
    if told.state is distinct from new.target
        or ended is distinct from new.source
        or (ended is null) <> (new.move_no = 1)
        or (coalesce(new.source, ''), new.event, new.target) not in (
            ('', 'proposed', 'proposed'),
            ('proposed', 'approved', 'in_force'), ('proposed', 'rejected', 'rejected'),
            ('proposed', 'withdrawn', 'withdrawn'),
            ('in_force', 'undo_proposed', 'undo_proposed'),
            ('undo_proposed', 'undone', 'undone'), ('undo_proposed', 'undo_refused', 'in_force')
        )
        or new.who is distinct from noted
    then
        raise exception 'move % of change % does not fit it', new.event, new.change_id using
            errcode = 'check_violation', constraint = 'catalog_change_move_fits';
    end if;
    return null;
end
$$;
create trigger catalog_change_move_fits after insert on catalog_change_move
    for each row execute function hub_change_move_fits();
"""

WAITING = """
create table waiting_line (
    bill_id text not null references bill,
    line_no integer not null,
    care_region text not null,
    kind text not null,
    code text not null,
    name text not null,
    outcome text not null check (outcome in ('unknown_code', 'unmapped', 'mapped_too_broadly')),
    fee_date date not null,
    amount_fen bigint not null,
    primary key (bill_id, line_no)
);
comment on table waiting_line is
    'Lines of bills that are not paid for want of an entry or a mapping, taken out of the packed lines';
create index waiting_line_code on waiting_line (care_region, kind, code);

insert into waiting_line (bill_id, line_no, care_region, kind, code, name, outcome, fee_date, amount_fen)
select id, (line ->> 0)::integer, care_region, line ->> 1, line ->> 2, coalesce(line ->> 16, line ->> 3), line ->> 9,
    (line ->> 7)::date, (line ->> 12)::bigint
from bill cross join lateral jsonb_array_elements(lines -> 'lines') as packed (line)
where line ->> 9 in ('unknown_code', 'unmapped', 'mapped_too_broadly');
"""

BOUNDS = (
    bounded(
        "catalog_change",
        sees="hub_sees(region, null, null, null)",
        grants="select, insert, update (state, reviewed_by, reviewed_at, undo_proposed_by, undo_reviewed_by)",
    ),
    "grant usage on sequence catalog_version to hub_app;",
    bounded(
        "catalog_change_move",
        sees="exists (select from catalog_change where catalog_change.id = change_id)",
        grants="select, insert",
    ),
    # As the other companions of a bill: who sees the bill sees them, and the hub alone writes them.
    f"""
    alter table waiting_line enable row level security;
    alter table waiting_line force row level security;
    create policy waiting_line_owner on waiting_line to current_user using (true) with check (true);
    create policy waiting_line_bounded on waiting_line to hub_app
        using (exists (select from bill where bill.id = bill_id)) with check ({HUB_ONLY});
    grant select, insert on waiting_line to hub_app;
    """,
)

APPEND_ONLY = ("catalog_change_move", "waiting_line")


def upgrade() -> None:
    for part in (RELEASES, CHANGES, WAITING, *BOUNDS):
        op.execute(part)
    for table in APPEND_ONLY:
        op.execute(append_only(table))


def downgrade() -> None:
    op.execute(
        """
        drop table waiting_line, catalog_change_move, catalog_change;
        drop trigger catalog_release_sound on catalog_release;
        drop trigger catalog_release_versioned on catalog_release;
        drop function hub_change_move_fits, hub_move_change, hub_release_is_sound, hub_conditions_meet,
            hub_version_release, hub_next_catalog_version;
        alter table code_mapping
            drop constraint code_mapping_once,
            add constraint code_mapping_pkey primary key (release_id, kind, code, valid_from),
            drop column condition, drop column origin, drop column reason, drop column decider, drop column reviewer;
        alter table region_item
            drop constraint region_item_pkey,
            add constraint region_item_pkey primary key (release_id, kind, code),
            drop column payment_standard, drop column first_self_pay_of, drop column restriction,
            drop column grace_until;
        drop index catalog_release_begins;
        alter table catalog_release drop column version;
        drop sequence catalog_version;
        """
    )
