"""How many lookups a workspace had in a minute, without reading those of a month."""

from collections.abc import Sequence

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_results_team", "results", ["team", "created"])


def downgrade() -> None:
    op.drop_index("ix_results_team", "results")
