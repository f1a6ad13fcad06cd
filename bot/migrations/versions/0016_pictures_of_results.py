"""Which picture a card is about, so that a channel of many photos is not read through for each."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("results") as batch:
        batch.add_column(sa.Column("picture", sa.String(), nullable=False, server_default=""))
        batch.create_index("ix_results_channel", ["team", "channel", "created"])
        batch.create_index("ix_results_picture", ["team", "channel", "picture"])


def downgrade() -> None:
    with op.batch_alter_table("results") as batch:
        batch.drop_index("ix_results_picture")
        batch.drop_index("ix_results_channel")
        batch.drop_column("picture")
