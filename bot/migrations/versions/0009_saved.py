"""Products that people keep."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "saved",
        sa.Column("sid", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("watching", sa.Boolean(), nullable=False),
        sa.Column("below", sa.String(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("checked", sa.Float(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_saved")),
        sa.UniqueConstraint("team", "person", "token", name=op.f("uq_saved_team_person_token")),
    )
    with op.batch_alter_table("saved", schema=None) as batch_op:
        batch_op.create_index("ix_saved_watching", ["watching", "checked"], unique=False)


def downgrade() -> None:
    op.drop_table("saved")
