"""Persons, registrations, visits, messages, audit, catalogs and access; sight and sealing."""

from __future__ import annotations

from alembic import op

from hub.store.migrations.bounds import HUB_ONLY, append_only, bounded, dropped

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FUNCTIONS = """
create function hub_sees(insuring text, care text, institution text, person text) returns boolean
    language sql stable parallel safe
as $$
    select case current_setting('hub.sight', true)
        when 'hub' then true
        when 'region' then coalesce(nullif(current_setting('hub.region', true), '') in (insuring, care), false)
        when 'institution' then coalesce(nullif(current_setting('hub.institution', true), '') = institution, false)
        when 'person' then coalesce(nullif(current_setting('hub.person', true), '') = person, false)
        else false
    end
$$;
comment on function hub_sees is
    'Whether the present transaction may see a row of these parties; settings are made by the unit of work.';

create function hub_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of % are never changed or deleted', tg_table_name using errcode = 'restrict_violation';
end
$$;
"""

ACCESS = """
create table data_key (
    id text primary key check (id ~ '^[0-9a-f]{16}$'),
    purpose text not null check (purpose in ('seal', 'index')),
    kek_id text not null,
    wrapped bytea not null,
    position bigint generated always as identity
);
create unique index data_key_one_index on data_key (purpose) where purpose = 'index';
grant select, insert on data_key to hub_app;

-- The application compares its own schema with the one it finds.
grant select on alembic_version to hub_app;

create table participant (
    id text primary key,
    sight text not null,
    region text check (region ~ '^[1-9][0-9]{5}$'),
    institution text check (institution ~ '^[HP][1-9][0-9]{10}$'),
    name text not null,
    constraint participant_sight check (
        (sight = 'hub' and region is null and institution is null)
        or (sight = 'region' and region is not null and institution is null)
        or (sight = 'institution' and region is not null and institution is not null)
    )
);

create table participant_key (
    id text primary key,
    participant_id text not null references participant,
    public_key bytea not null check (length(public_key) = 32),
    algorithm text not null check (algorithm = 'ed25519'),
    valid_from timestamptz not null,
    valid_until timestamptz,
    revoked_at timestamptz,
    check (valid_until > valid_from)
);
create index participant_key_owner on participant_key (participant_id);

create table nonce (
    key_id text not null,
    nonce text not null,
    signature_digest bytea not null,
    expires_at timestamptz not null,
    primary key (key_id, nonce)
);
create index nonce_expiry on nonce (expires_at);

create table staff (
    id text primary key,
    participant_id text not null references participant,
    login text not null constraint staff_login unique,
    name text not null,
    role text not null,
    password_hash text not null,
    failed_count integer not null default 0 check (failed_count >= 0),
    locked_until timestamptz
);

create table web_session (
    token_digest bytea primary key,
    data bytea not null,
    staff_id text references staff,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index web_session_expiry on web_session (expires_at);
create index web_session_staff on web_session (staff_id);
"""

PERSONS = """
create table institution (
    code text primary key check (code ~ '^[HP][1-9][0-9]{10}$'),
    region text not null check (region ~ '^[1-9][0-9]{5}$'),
    name text not null,
    level text not null check (level in ('1', '2', '3')),
    networked_from date not null
);
create index institution_region on institution (region text_pattern_ops, code);

create table person (
    id text primary key,
    insuring_region text not null check (insuring_region ~ '^[1-9][0-9]{5}$'),
    name_sealed bytea not null,
    identity_sealed bytea not null,
    phone_sealed bytea,
    identity_index bytea not null check (length(identity_index) = 32),
    constraint person_identity unique (insuring_region, identity_index)
);

create table roster (
    region text not null check (region ~ '^[1-9][0-9]{5}$'),
    identity_index bytea not null check (length(identity_index) = 32),
    name_index bytea not null check (length(name_index) = 32),
    name_sealed bytea not null,
    identity_sealed bytea not null,
    status text not null check (status in ('0', '1', '2', '3', '4')),
    insurance_type text not null,
    person_group text not null,
    membership_years integer not null check (membership_years >= 0),
    primary key (region, identity_index)
);

create table registration (
    id text primary key,
    reference text not null constraint registration_reference unique,
    person_id text not null references person,
    insuring_region text not null,
    care_region text not null check (care_region ~ '^[1-9][0-9]{5}$'),
    category text not null,
    evidence text not null,
    starts_on date not null,
    ends_on date check (ends_on > starts_on),
    state text not null check (state in ('submitted', 'approved', 'refused', 'withdrawn', 'cancelled')),
    channel text not null,
    notice_version text not null,
    submitted_by text not null,
    submitted_at timestamptz not null,
    decided_by text,
    decided_reason text not null default '',
    constraint registration_off_site check (care_region <> insuring_region),
    constraint registration_four_eyes check (decided_by is null or decided_by = 'rule' or decided_by <> submitted_by)
);
create index registration_person on registration (person_id, id);

create table registration_move (
    id bigint generated always as identity primary key,
    registration_id text not null references registration,
    source text,
    event text not null,
    target text not null,
    who text not null,
    why text not null,
    at timestamptz not null
);
create index registration_move_of on registration_move (registration_id, id);

create table visit (
    id text primary key,
    person_id text not null references person,
    institution text not null,
    visit_no text not null,
    insuring_region text not null,
    care_region text not null,
    kind text not null,
    diagnosis_sealed bytea not null,
    admitted_at timestamptz not null,
    recorded_at timestamptz not null,
    recorded_late boolean not null,
    state text not null,
    status text not null check (status in ('0', '1', '2', '3', '4')),
    insurance_type text not null,
    person_group text not null,
    membership_years integer not null check (membership_years >= 0),
    constraint visit_number unique (institution, visit_no)
);
create index visit_person on visit (person_id);

create table visit_move (
    id bigint generated always as identity primary key,
    visit_id text not null references visit,
    source text,
    event text not null,
    target text not null,
    who text not null,
    why text not null,
    at timestamptz not null
);
create index visit_move_of on visit_move (visit_id, id);
"""

MESSAGES = """
create table outbox (
    id bigint generated always as identity primary key,
    topic text not null,
    key text not null,
    payload jsonb not null,
    attempts integer not null default 0,
    due_at timestamptz not null,
    leased_until timestamptz,
    delivered_at timestamptz,
    parked boolean not null default false,
    last_error text not null default '',
    constraint outbox_once unique (topic, key)
);
create index outbox_due on outbox (due_at, id) where delivered_at is null and not parked;

create table inbox (
    source text not null,
    message_id text not null,
    digest text not null,
    at timestamptz not null,
    primary key (source, message_id)
);

create table idempotency (
    participant text not null,
    key text not null,
    fingerprint text not null,
    leased_until timestamptz not null,
    status integer,
    body_sealed bytea,
    finished_at timestamptz,
    primary key (participant, key),
    constraint idempotency_whole_answer check (num_nulls(status, body_sealed, finished_at) in (0, 3))
);

create table job_run (
    job text not null,
    period text not null,
    at timestamptz not null,
    primary key (job, period)
);
"""

AUDIT = """
create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    facts jsonb not null
);
create index audit_subject on audit (subject, id);

create table audit_link (
    seq bigint primary key check (seq > 0),
    audit_id bigint not null constraint audit_link_once unique references audit,
    previous bytea not null,
    digest bytea not null
);

create table audit_head (
    single boolean primary key default true check (single),
    seq bigint not null,
    digest bytea not null,
    mark bytea
);
insert into audit_head (seq, digest) values (0, '');
"""

CATALOGS = """
create table catalog_release (
    id text primary key,
    region text check (region ~ '^[1-9][0-9]{5}$'),
    name text not null,
    release text not null,
    unified_id text references catalog_release,
    digest text not null,
    valid_from date not null,
    state text not null check (state in ('importing', 'ready')),
    constraint catalog_release_kind check ((region is null) = (unified_id is null))
);

create table unified_entry (
    release_id text not null,
    kind text not null,
    code text not null,
    name text not null,
    attributes jsonb not null,
    parent text,
    status text not null,
    primary key (release_id, kind, code)
);
create index unified_entry_name on unified_entry (release_id, kind, name text_pattern_ops);

create table region_item (
    release_id text not null,
    kind text not null,
    code text not null,
    name text not null,
    unit text not null,
    benefit_class text not null check (benefit_class in ('A', 'B', 'C')),
    first_self_pay text not null,
    price_limits text not null,
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    primary key (release_id, kind, code)
);

create table code_mapping (
    release_id text not null,
    kind text not null,
    code text not null,
    unified_code text,
    grade text not null,
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    primary key (release_id, kind, code, valid_from),
    constraint code_mapping_target check ((unified_code is null) = (grade = 'none'))
);

create function hub_only_importing() returns trigger language plpgsql as $$
begin
    if exists (
        select from (select distinct release_id from added) as named
        left join catalog_release on catalog_release.id = named.release_id
        where catalog_release.state is distinct from 'importing'
    ) then
        raise exception '% takes rows of a release being imported only', tg_table_name
            using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;
comment on function hub_only_importing is
    'Stands in for foreign keys too, which would look up the release once for each of many thousand rows.';

create function hub_release_becomes_ready() returns trigger language plpgsql as $$
begin
    if old.state = 'ready' or (new.id, new.digest, new.release) is distinct from (old.id, old.digest, old.release) then
        raise exception 'a release is never changed' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create trigger catalog_release_ready before update on catalog_release
    for each row execute function hub_release_becomes_ready();
create trigger catalog_release_kept before delete or truncate on catalog_release
    for each statement execute function hub_refuse_change();
create trigger unified_entry_ready after insert on unified_entry referencing new table as added
    for each statement execute function hub_only_importing();
create trigger region_item_ready after insert on region_item referencing new table as added
    for each statement execute function hub_only_importing();
create trigger code_mapping_ready after insert on code_mapping referencing new table as added
    for each statement execute function hub_only_importing();
grant select on catalog_release, unified_entry, region_item, code_mapping to hub_app;
"""

BOUNDS = (
    bounded(
        "participant",
        sees="hub_sees(region, null, institution, null)",
        grants="select, insert",
    ),
    bounded(
        "participant_key",
        sees="exists (select from participant where participant.id = participant_id)",
        grants="select, insert, update (valid_until, revoked_at)",
    ),
    bounded("nonce", sees=HUB_ONLY, grants="select, insert, delete"),
    bounded(
        "staff",
        sees=HUB_ONLY,
        grants="select, insert, update (name, role, password_hash, failed_count, locked_until)",
    ),
    bounded("web_session", sees=HUB_ONLY, grants="select, insert, update (data, expires_at), delete"),
    # Which hospitals there are is public: a patient looks for one before he travels.
    bounded("institution", sees=HUB_ONLY, grants="select, insert, update (region, name, level, networked_from)"),
    "create policy institution_public on institution for select to hub_app using (true);",
    bounded(
        "person",
        sees="hub_sees(insuring_region, null, null, id)",
        grants="select, insert, update (phone_sealed)",
    ),
    # The place of care and its hospital know whom they treat, and whom they are told to expect.
    """
    create policy person_met on person for select to hub_app using (
        exists (select from visit where visit.person_id = person.id)
        or exists (select from registration where registration.person_id = person.id)
    );
    """,
    bounded(
        "roster",
        sees="hub_sees(region, null, null, null)",
        grants="select, insert, update (name_index, name_sealed, identity_sealed, status, insurance_type, "
        "person_group, membership_years)",
    ),
    bounded(
        "registration",
        sees="hub_sees(insuring_region, care_region, null, person_id)",
        grants="select, insert, update (state, ends_on, decided_by, decided_reason)",
    ),
    bounded(
        "registration_move",
        sees="exists (select from registration where registration.id = registration_id)",
        grants="select, insert",
    ),
    bounded(
        "visit",
        sees="hub_sees(insuring_region, care_region, institution, person_id)",
        grants="select, insert, update (state)",
    ),
    bounded(
        "visit_move",
        sees="exists (select from visit where visit.id = visit_id)",
        grants="select, insert",
    ),
    dropped(
        "outbox",
        sees=HUB_ONLY,
        grants="select, insert, update (attempts, due_at, leased_until, delivered_at, parked, last_error)",
    ),
    bounded("inbox", sees=HUB_ONLY, grants="select, insert"),
    # An errand finishes its key inside its own scope, and keys name no region: the answer kept is sealed.
    bounded(
        "idempotency",
        sees="true",
        grants="select, insert, update (leased_until, status, body_sealed, finished_at), delete",
    ),
    bounded("job_run", sees=HUB_ONLY, grants="select, insert"),
    dropped("audit", sees=HUB_ONLY, grants="select, insert"),
    bounded("audit_link", sees=HUB_ONLY, grants="select, insert"),
    bounded("audit_head", sees=HUB_ONLY, grants="select, update (seq, digest, mark)"),
)

APPEND_ONLY = (
    "registration_move",
    "visit_move",
    "inbox",
    "audit",
    "audit_link",
    "unified_entry",
    "region_item",
    "code_mapping",
)


def upgrade() -> None:
    for part in (FUNCTIONS, ACCESS, PERSONS, MESSAGES, AUDIT, CATALOGS, *BOUNDS):
        op.execute(part)
    for table in APPEND_ONLY:
        op.execute(append_only(table))


def downgrade() -> None:
    op.execute(
        """
        revoke select on alembic_version from hub_app;
        drop table code_mapping, region_item, unified_entry, catalog_release, audit_head, audit_link, audit, job_run,
            idempotency, inbox, outbox, visit_move, visit, registration_move, registration, roster, person, institution,
            web_session, staff, nonce, participant_key, participant, data_key;
        drop function hub_release_becomes_ready, hub_only_importing, hub_refuse_change, hub_sees;
        """
    )
