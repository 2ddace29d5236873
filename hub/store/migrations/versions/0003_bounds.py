"""Keys of requests belong to their senders, and answers given stay; months are moved by the hub alone."""

from __future__ import annotations

from alembic import op

from hub.store.migrations.bounds import HUB_ONLY

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# An errand finishes its key inside its own scope, which sees the participant who sent it.
OWN_KEYS = f"{HUB_ONLY} or exists (select from participant where participant.id = idempotency.participant)"

IDEMPOTENCY = f"""
    alter policy idempotency_bounded on idempotency using ({OWN_KEYS}) with check ({OWN_KEYS});
    create trigger idempotency_answer_stays before update or delete on idempotency
        for each row when (old.status is not null) execute function hub_refuse_change();
"""


def _moved_by_the_hub(table: str) -> str:
    """SQL for a table that everybody reads whole and the hub alone writes."""
    return f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy {table}_owner on {table} to current_user using (true) with check (true);
        create policy {table}_bounded on {table} to hub_app using ({HUB_ONLY}) with check ({HUB_ONLY});
        create policy {table}_public on {table} for select to hub_app using (true);
    """


def upgrade() -> None:
    for part in (IDEMPOTENCY, _moved_by_the_hub("clearing_window"), _moved_by_the_hub("window_move")):
        op.execute(part)


def downgrade() -> None:
    op.execute("alter policy idempotency_bounded on idempotency using (true) with check (true)")
    op.execute("drop trigger idempotency_answer_stays on idempotency")
    for table in ("clearing_window", "window_move"):
        for policy in ("owner", "bounded", "public"):
            op.execute(f"drop policy {table}_{policy} on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
