"""The language of a channel."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("preferences") as batch:
        batch.add_column(sa.Column("language", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("preferences") as batch:
        batch.drop_column("language")
