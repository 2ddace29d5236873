"""A key may be held by one person of the participant: what needs two people then counts keys as people."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table staff add constraint staff_of_participant unique (id, participant_id);
        alter table participant_key
            add column holder text,
            add constraint participant_key_holder
                foreign key (holder, participant_id) references staff (id, participant_id);
        comment on column participant_key.holder is
            'The member of staff who alone signs with the key; null for the key of a system'
        """
    )


def downgrade() -> None:
    op.execute(
        """
        alter table participant_key drop column holder;
        alter table staff drop constraint staff_of_participant
        """
    )
