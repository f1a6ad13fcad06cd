"""What is remembered of sources, and what offers have cost."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "catalogue_prices",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("offer", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("price", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("availability", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "offer", "at", name=op.f("pk_catalogue_prices")),
    )
    op.create_table(
        "catalogue_sources",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("modified", sa.String(), nullable=False),
        sa.Column("options", sa.String(), nullable=False),
        sa.Column("imported", sa.DateTime(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_catalogue_sources")),
    )


def downgrade() -> None:
    op.drop_table("catalogue_sources")
    op.drop_table("catalogue_prices")
