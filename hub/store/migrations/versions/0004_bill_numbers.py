"""A bill number stands once in a hospital: two of its revisions, sent at once for two stays, do not both settle."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create unique index bill_number_posted_once on bill (institution, bill_no) where state = 'posted'")


def downgrade() -> None:
    op.execute("drop index bill_number_posted_once")
