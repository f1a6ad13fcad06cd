"""What workspaces have decided, and what their people add to the catalogue."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "teams",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("adding", sa.Boolean(), nullable=False),
        sa.Column("reaction", sa.String(), nullable=False),
        sa.Column("changed", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("team", name=op.f("pk_teams")),
    )
    op.create_table(
        "additions",
        sa.Column("rid", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("thread_ts", sa.String(), nullable=False),
        sa.Column("message_ts", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("card_ts", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("rid", name=op.f("pk_additions")),
        sa.UniqueConstraint("job", name=op.f("uq_additions_job")),
    )
    with op.batch_alter_table("additions", schema=None) as batch_op:
        batch_op.create_index("ix_additions_team", ["team"], unique=False)
        batch_op.create_index("ix_additions_created", ["created"], unique=False)


def downgrade() -> None:
    op.drop_table("additions")
    op.drop_table("teams")
