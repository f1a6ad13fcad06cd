"""What has changed in the catalogue, for whoever serves it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "catalogue_changes",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_catalogue_changes")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("catalogue_pictures", schema=None) as batch_op:
        batch_op.create_index("ix_catalogue_pictures_encoder", ["encoder", "content"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("catalogue_pictures", schema=None) as batch_op:
        batch_op.drop_index("ix_catalogue_pictures_encoder")

    op.drop_table("catalogue_changes")
