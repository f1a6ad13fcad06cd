"""How workspaces and channels want pictures answered."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "preferences",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("safe_search", sa.String(), nullable=False),
        sa.Column("size", sa.String(), nullable=False),
        sa.Column("changed", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("team", "channel", name=op.f("pk_preferences")),
    )


def downgrade() -> None:
    op.drop_table("preferences")
