"""Live sources: who may ask them, how often they were asked, what they said, what they are lent."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("preferences") as batch:
        batch.add_column(sa.Column("outside", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "live_asked",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", name=op.f("pk_live_asked")),
    )
    op.create_table(
        "live_answers",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("team", "question", name=op.f("pk_live_answers")),
    )
    op.create_table(
        "live_lent",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_live_lent")),
    )


def downgrade() -> None:
    op.drop_table("live_lent")
    op.drop_table("live_answers")
    op.drop_table("live_asked")
    with op.batch_alter_table("preferences") as batch:
        batch.drop_column("outside")
