"""Offers found by the address of their page."""

from collections.abc import Sequence

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(op.f("ix_catalogue_offers_link"), "catalogue_offers", ["link"])


def downgrade() -> None:
    op.drop_index(op.f("ix_catalogue_offers_link"), "catalogue_offers")
