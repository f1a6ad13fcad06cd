"""Recipes, collections and entities."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "catalogue_subject_products",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", "position", name=op.f("pk_catalogue_subject_products")),
    )
    with op.batch_alter_table("catalogue_subject_products", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_catalogue_subject_products_product_id"), ["product_id"], unique=False)

    op.create_table(
        "catalogue_subjects",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_catalogue_subjects")),
    )


def downgrade() -> None:
    op.drop_table("catalogue_subjects")
    with op.batch_alter_table("catalogue_subject_products", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_catalogue_subject_products_product_id"))

    op.drop_table("catalogue_subject_products")
