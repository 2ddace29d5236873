"""Bills, decisions, years, windows, the ledger, clearing, statements, the daily match."""

from __future__ import annotations

from alembic import op

from hub.store.migrations.bounds import HUB_ONLY, append_only, bounded

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BILLS = """
create table bill (
    id text primary key,
    visit_id text not null references visit,
    person_id text not null references person,
    institution text not null,
    insuring_region text not null check (insuring_region ~ '^[1-9][0-9]{5}$'),
    care_region text not null check (care_region ~ '^[1-9][0-9]{5}$'),
    insurance_type text not null check (insurance_type in ('310', '390')),
    regime text not null check (regime in ('cross_province', 'within_province')),
    bill_no text not null,
    revision integer not null check (revision >= 0),
    admitted_on date not null,
    discharged_on date not null,
    registration_id text references registration,
    total_fen bigint not null,
    full_self_pay_fen bigint not null,
    over_limit_fen bigint not null,
    first_self_pay_fen bigint not null,
    in_policy_fen bigint not null,
    fund_total_fen bigint not null,
    personal_account_fen bigint not null,
    cash_fen bigint not null,
    hospital_borne_fen bigint not null,
    lines jsonb not null,
    year integer not null,
    year_version bigint not null check (year_version > 0),
    months_late integer not null check (months_late >= 0),
    settled_at timestamptz not null,
    settled_on date not null,
    period text not null,
    state text not null check (state in ('received', 'coded', 'decided', 'posted', 'cancelled')),
    constraint bill_once unique (institution, bill_no, revision),
    constraint bill_stay check (discharged_on >= admitted_on),
    constraint bill_off_site check (insuring_region <> care_region),
    constraint bill_classified check (
        total_fen = full_self_pay_fen + over_limit_fen + first_self_pay_fen + in_policy_fen
    ),
    constraint bill_borne check (
        total_fen = fund_total_fen + personal_account_fen + cash_fen + hospital_borne_fen
    ),
    constraint bill_not_negative check (
        least(
            full_self_pay_fen, over_limit_fen, first_self_pay_fen, in_policy_fen,
            fund_total_fen, personal_account_fen, cash_fen, hospital_borne_fen
        ) >= 0
    )
);
comment on column bill.lines is 'All fee lines as one value, packed and read by hub.store.codec only';
create unique index bill_posted_once on bill (visit_id) where state = 'posted';
create index bill_person_year on bill (person_id, insurance_type, year, year_version);
create index bill_day on bill (settled_on, insuring_region);
create index bill_period on bill (period, id);

create table bill_move (
    bill_id text not null references bill,
    move_no integer not null check (move_no > 0),
    source text not null,
    event text not null,
    target text not null,
    who text not null,
    why text not null,
    at timestamptz not null,
    primary key (bill_id, move_no)
);
create index bill_move_cancelled on bill_move (at) where event = 'cancelled';

create table bill_share (
    bill_id text not null references bill,
    layer_no integer not null check (layer_no > 0),
    fund text not null check (fund ~ '^[0-9]{6}$'),
    amount_fen bigint not null check (amount_fen >= 0),
    primary key (bill_id, fund)
);

create table decision (
    bill_id text primary key references bill,
    policy text not null,
    request jsonb not null,
    decision jsonb not null
);

create table person_year (
    person_id text not null references person,
    insurance_type text not null,
    year integer not null,
    version bigint not null check (version >= 0),
    totals jsonb not null,
    insuring_region text not null,
    primary key (person_id, insurance_type, year)
);
"""

WINDOWS = """
create table clearing_window (
    id text primary key,
    regime text not null check (regime in ('cross_province', 'within_province')),
    period text not null check (period ~ '^2[0-9]{3}-(0[1-9]|1[0-2])$'),
    state text not null check (state in ('open', 'cut', 'grossed', 'netted', 'closed')),
    constraint clearing_window_once unique (regime, period),
    constraint clearing_window_derived check (id = 'win_' || regime || '_' || period)
);

create table window_move (
    window_id text not null references clearing_window,
    move_no integer not null check (move_no > 0),
    source text not null,
    event text not null,
    target text not null,
    who text not null,
    why text not null,
    at timestamptz not null,
    primary key (window_id, move_no)
);

create function hub_hold_window(window_id text) returns text language plpgsql as $$
declare
    found text;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'bookings run in read committed: an older snapshot would not see a cut' using
            errcode = 'invalid_transaction_state';
    end if;
    perform pg_advisory_xact_lock_shared(hashtextextended(window_id, 0));
    -- A statement of its own, so that it sees a cut that was committed while the lock was waited for.
    select state into found from clearing_window where id = window_id;
    return found;
end
$$;
comment on function hub_hold_window is
    'The state of a window, held until the transaction ends: bookings hold it together, the cut waits for all of them.';

create function hub_open_window(wanted_regime text, first_period text) returns text language plpgsql as $$
declare
    candidate text := first_period;
    found text;
begin
    loop
        insert into clearing_window (id, regime, period, state)
            values ('win_' || wanted_regime || '_' || candidate, wanted_regime, candidate, 'open')
            on conflict do nothing;
        found := hub_hold_window('win_' || wanted_regime || '_' || candidate);
        if found = 'open' then
            return candidate;
        end if;
        candidate := to_char(to_date(candidate, 'YYYY-MM') + interval '1 month', 'YYYY-MM');
    end loop;
end
$$;

create function hub_move_window() returns trigger language plpgsql as $$
begin
    if array_position(array['open', 'cut', 'grossed', 'netted', 'closed'], new.state)
        <> array_position(array['open', 'cut', 'grossed', 'netted', 'closed'], old.state) + 1
    then
        raise exception 'window % is % and cannot become %', old.id, old.state, new.state using
            errcode = 'check_violation', constraint = 'clearing_window_forward';
    end if;
    if old.state = 'open' then
        -- Waits for every booking that holds the window; later ones wait for this and then find it cut.
        perform pg_advisory_xact_lock(hashtextextended(old.id, 0));
    end if;
    return new;
end
$$;
create trigger clearing_window_forward before update of state on clearing_window
    for each row execute function hub_move_window();
"""

LEDGER = """
create table account (
    id bigint primary key,
    kind text not null,
    insuring_region text not null,
    care_region text not null,
    insurance_type text not null,
    fund text,
    institution text,
    constraint account_once unique nulls not distinct
        (kind, insuring_region, care_region, insurance_type, fund, institution),
    constraint account_kind check (
        kind in ('hospital_claim', 'patient_paid', 'hospital_borne') and fund is null and institution is not null
        or kind in ('fund_due', 'clearing_due') and fund is not null and institution is null
    )
);
comment on column account.id is 'Derived from the other columns, so that a leg needs no look-up: see hub.store.ledger';

create table entry (
    id text primary key,
    event text not null check (event in ('settled', 'cancelled', 'cleared')),
    subject text not null,
    revision integer not null,
    window_id text not null,
    insuring_region text not null,
    care_region text not null,
    bill_id text references bill,
    reverses text references entry,
    leg_count integer not null check (leg_count > 0),
    happened_at timestamptz not null,
    booked_on date not null,
    recorded_at timestamptz not null,
    constraint entry_once unique (event, subject, revision),
    constraint entry_reverses check ((event = 'cancelled') = (reverses is not null)),
    constraint entry_of_bill check ((event = 'cleared') = (bill_id is null))
);
create index entry_bill on entry (bill_id);
create index entry_insuring on entry (window_id, insuring_region);
create index entry_care on entry (window_id, care_region);

create table leg (
    entry_id text not null references entry,
    leg_no integer not null check (leg_no > 0),
    account_id bigint not null,
    window_id text not null,
    event text not null,
    insuring_region text not null,
    care_region text not null,
    side text not null check (side in ('D', 'C')),
    amount_fen bigint not null check (amount_fen > 0),
    primary key (entry_id, leg_no)
);
create index leg_window on leg using brin (window_id);

create function hub_window_takes_entry() returns trigger language plpgsql as $$
declare
    found text := hub_hold_window(new.window_id);
begin
    if found is null or (found = 'open') <> (new.event <> 'cleared') then
        raise exception 'window % (%) takes no entry %', new.window_id, coalesce(found, 'unknown'), new.id using
            errcode = 'check_violation', constraint = 'entry_window_takes';
    end if;
    return null;
end
$$;
create trigger entry_window_takes after insert on entry
    for each row execute function hub_window_takes_entry();

create function hub_entry_balances() returns trigger language plpgsql as $$
declare
    legs bigint;
    difference bigint;
begin
    select count(*), sum(case side when 'D' then amount_fen else -amount_fen end)
        into legs, difference from leg where entry_id = new.id;
    if legs <> new.leg_count or difference <> 0 then
        raise exception 'entry % has % of % legs and is out of balance by %', new.id, legs, new.leg_count, difference
            using errcode = 'check_violation', constraint = 'entry_balances';
    end if;
    return null;
end
$$;
create constraint trigger entry_balances after insert on entry deferrable initially deferred
    for each row execute function hub_entry_balances();

create function hub_legs_fit() returns trigger language plpgsql as $$
declare
    wrong record;
begin
    select added.entry_id, added.leg_no into wrong
        from added
        left join entry on entry.id = added.entry_id
        left join account on account.id = added.account_id
        where entry.id is null
            or account.id is null
            or added.leg_no > entry.leg_count
            or (added.window_id, added.event) is distinct from (entry.window_id, entry.event)
            or (entry.insuring_region, entry.care_region) is distinct from (added.insuring_region, added.care_region)
            or (account.insuring_region, account.care_region) is distinct from
                (added.insuring_region, added.care_region)
        limit 1;
    if found then
        raise exception 'leg % of entry % does not fit its entry or its account', wrong.leg_no, wrong.entry_id using
            errcode = 'check_violation', constraint = 'leg_fits';
    end if;
    return null;
end
$$;
comment on function hub_legs_fit is
    'Stands in for foreign keys to accounts, whose locks on rows used by everybody would slow bookings; and since an '
    'entry says how many legs it has, none can be added later.';
create trigger leg_fits after insert on leg referencing new table as added
    for each statement execute function hub_legs_fit();
"""

CLEARING = """
create table gross_cell (
    window_id text not null references clearing_window,
    insuring_region text not null,
    care_region text not null,
    insurance_type text not null,
    fund text not null,
    amount_fen bigint not null,
    bills bigint not null check (bills > 0),
    primary key (window_id, insurance_type, insuring_region, care_region, fund)
);

create table net_position (
    window_id text not null references clearing_window,
    insurance_type text not null,
    region text not null,
    amount_fen bigint not null,
    primary key (window_id, insurance_type, region)
);

create table net_transfer (
    window_id text not null references clearing_window,
    method text not null check (method in ('bilateral', 'multilateral')),
    insurance_type text not null,
    transfer_no integer not null check (transfer_no > 0),
    payer text not null,
    payee text not null,
    amount_fen bigint not null check (amount_fen > 0),
    primary key (window_id, method, insurance_type, payer, payee),
    check (payer <> payee)
);

create table statement (
    id text primary key,
    window_id text not null references clearing_window,
    region text not null,
    kind text not null,
    media_type text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    content bytea not null,
    recorded_at timestamptz not null,
    constraint statement_once unique (window_id, region, kind, media_type),
    constraint statement_digest check (sha256 = encode(sha256(content), 'hex'))
);
create index statement_region on statement (region, id);
"""

MATCHING = """
create table hospital_report (
    institution text not null,
    day date not null,
    region text not null,
    at timestamptz not null,
    primary key (institution, day)
);

create table hospital_report_row (
    institution text not null,
    day date not null,
    event_id text not null,
    insuring_region text not null,
    care_region text not null,
    total_fen bigint not null,
    fund_total_fen bigint not null,
    primary key (institution, day, event_id),
    foreign key (institution, day) references hospital_report on delete cascade
);
create index hospital_report_row_insuring on hospital_report_row (day, insuring_region);

create table match_run (
    day date not null,
    insuring_region text not null,
    agreed integer not null check (agreed >= 0),
    broken integer not null check (broken >= 0),
    at timestamptz not null,
    primary key (day, insuring_region)
);

create table match_break (
    day date not null,
    insuring_region text not null,
    event_id text not null,
    cause text not null,
    care_region text,
    institution text,
    hub_total_fen bigint,
    hub_fund_total_fen bigint,
    care_total_fen bigint,
    care_fund_total_fen bigint,
    insuring_total_fen bigint,
    insuring_fund_total_fen bigint,
    primary key (day, insuring_region, event_id),
    foreign key (day, insuring_region) references match_run on delete cascade
);

create table region_booking (
    event_id text primary key,
    region text not null,
    bill_id text not null,
    booked_on date not null,
    insurance_type text not null,
    total_fen bigint not null,
    fund_total_fen bigint not null
);
create index region_booking_day on region_booking (region, booked_on, event_id);
"""

PAIR = "hub_sees(insuring_region, care_region, null, null)"


def _read_with_bill(table: str) -> str:
    """SQL for a bill's companions: who sees the bill sees them, and the hub alone writes them.

    A policy that looked for the bill would not find it while one statement writes both.
    """
    return f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy {table}_owner on {table} to current_user using (true) with check (true);
        create policy {table}_bounded on {table} to hub_app
            using (exists (select from bill where bill.id = bill_id)) with check ({HUB_ONLY});
        grant select, insert on {table} to hub_app;
    """


BOUNDS = (
    bounded(
        "bill",
        sees="hub_sees(insuring_region, care_region, institution, person_id)",
        grants="select, insert, update (state)",
    ),
    _read_with_bill("bill_move"),
    _read_with_bill("bill_share"),
    _read_with_bill("decision"),
    bounded(
        "person_year",
        sees="hub_sees(insuring_region, null, null, person_id)",
        grants="select, insert, update (version, totals)",
    ),
    bounded("account", sees=PAIR, grants="select, insert"),
    bounded("entry", sees=PAIR, grants="select, insert"),
    bounded("leg", sees=PAIR, grants="select, insert"),
    bounded("gross_cell", sees=PAIR, grants="select, insert"),
    bounded("net_position", sees="hub_sees(region, null, null, null)", grants="select, insert"),
    bounded("net_transfer", sees="hub_sees(payer, payee, null, null)", grants="select, insert"),
    bounded("statement", sees="hub_sees(region, null, null, null)", grants="select, insert"),
    bounded(
        "hospital_report",
        sees="hub_sees(null, region, institution, null)",
        grants="select, insert, delete",
    ),
    bounded(
        "hospital_report_row",
        sees="hub_sees(insuring_region, care_region, institution, null)",
        grants="select, insert, delete",
    ),
    bounded("match_run", sees="hub_sees(insuring_region, null, null, null)", grants="select, insert, delete"),
    bounded(
        "match_break",
        sees="hub_sees(insuring_region, care_region, institution, null)",
        grants="select, insert, delete",
    ),
    bounded("region_booking", sees="hub_sees(region, null, null, null)", grants="select, insert"),
    # Which months there are and how far they are closed is no secret.
    "grant select, insert, update (state) on clearing_window to hub_app;",
    "grant select, insert on window_move to hub_app;",
)

APPEND_ONLY = (
    "bill_move",
    "bill_share",
    "decision",
    "window_move",
    "account",
    "entry",
    "leg",
    "gross_cell",
    "net_position",
    "net_transfer",
    "statement",
    "region_booking",
)


def upgrade() -> None:
    for part in (BILLS, WINDOWS, LEDGER, CLEARING, MATCHING, *BOUNDS):
        op.execute(part)
    for table in APPEND_ONLY:
        op.execute(append_only(table))


def downgrade() -> None:
    op.execute(
        """
        drop table region_booking, match_break, match_run, hospital_report_row, hospital_report, statement,
            net_transfer, net_position, gross_cell, leg, entry, account, window_move, clearing_window, person_year,
            decision, bill_share, bill_move, bill;
        drop function hub_legs_fit, hub_entry_balances, hub_window_takes_entry, hub_move_window, hub_open_window,
            hub_hold_window;
        """
    )
