"""What servers say of pictures, for asking again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "catalogue_addresses",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("modified", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_catalogue_addresses")),
    )
    with op.batch_alter_table("catalogue_picture_uses", schema=None) as batch_op:
        batch_op.create_index("ix_catalogue_picture_uses_address", ["source", "address"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("catalogue_picture_uses", schema=None) as batch_op:
        batch_op.drop_index("ix_catalogue_picture_uses_address")

    op.drop_table("catalogue_addresses")
