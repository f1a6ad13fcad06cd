"""First schema."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "catalogue_offers",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("price", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("availability", sa.String(), nullable=False),
        sa.Column("seller", sa.Text(), nullable=False),
        sa.Column("last_seen", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_catalogue_offers")),
    )
    with op.batch_alter_table("catalogue_offers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_catalogue_offers_product_id"), ["product_id"], unique=False)

    op.create_table(
        "catalogue_pages",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "url", name=op.f("pk_catalogue_pages")),
    )
    op.create_table(
        "catalogue_picture_uses",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("used_by", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("picture_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "used_by", "position", name=op.f("pk_catalogue_picture_uses")),
    )
    with op.batch_alter_table("catalogue_picture_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_catalogue_picture_uses_picture_id"), ["picture_id"], unique=False)

    op.create_table(
        "catalogue_pictures",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("accent", sa.String(), nullable=False),
        sa.Column("published", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_pictures")),
    )
    with op.batch_alter_table("catalogue_pictures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_catalogue_pictures_content"), ["content"], unique=False)
        batch_op.create_index(batch_op.f("ix_catalogue_pictures_product_id"), ["product_id"], unique=False)

    op.create_table(
        "catalogue_products",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("product_type", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("gtin", sa.String(), nullable=False),
        sa.Column("adult", sa.Boolean(), nullable=False),
        sa.Column("rating_value", sa.Float(), nullable=True),
        sa.Column("rating_count", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_products")),
    )
    op.create_table(
        "catalogue_related_searches",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("product_type", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "product_type", "position", name=op.f("pk_catalogue_related_searches")),
    )
    op.create_table(
        "catalogue_sellers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("logo", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_catalogue_sellers")),
    )
    op.create_table(
        "channels",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("answering", sa.Boolean(), nullable=False),
        sa.Column("changed", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("team", "channel", name=op.f("pk_channels")),
    )
    op.create_table(
        "clicks",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_clicks")),
    )
    op.create_table(
        "insights_state",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_insights_state")),
    )
    op.create_table(
        "insights_uploads",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("look", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_insights_uploads")),
    )
    with op.batch_alter_table("insights_uploads", schema=None) as batch_op:
        batch_op.create_index("ix_insights_uploads_created", ["created"], unique=False)

    op.create_table(
        "posts",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_posts")),
    )
    op.create_table(
        "results",
        sa.Column("rid", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("thread_ts", sa.String(), nullable=False),
        sa.Column("message_ts", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("insights", sa.Text(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("rid", name=op.f("pk_results")),
        sa.UniqueConstraint("job", name=op.f("uq_results_job")),
    )
    with op.batch_alter_table("results", schema=None) as batch_op:
        batch_op.create_index("ix_results_created", ["created"], unique=False)
        batch_op.create_index("ix_results_requester", ["team", "requester", "created"], unique=False)
        batch_op.create_index("ix_results_thread", ["team", "channel", "thread_ts"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("results", schema=None) as batch_op:
        batch_op.drop_index("ix_results_thread")
        batch_op.drop_index("ix_results_requester")
        batch_op.drop_index("ix_results_created")

    op.drop_table("results")
    op.drop_table("posts")
    with op.batch_alter_table("insights_uploads", schema=None) as batch_op:
        batch_op.drop_index("ix_insights_uploads_created")

    op.drop_table("insights_uploads")
    op.drop_table("insights_state")
    op.drop_table("clicks")
    op.drop_table("channels")
    op.drop_table("catalogue_sellers")
    op.drop_table("catalogue_related_searches")
    op.drop_table("catalogue_products")
    with op.batch_alter_table("catalogue_pictures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_catalogue_pictures_product_id"))
        batch_op.drop_index(batch_op.f("ix_catalogue_pictures_content"))

    op.drop_table("catalogue_pictures")
    with op.batch_alter_table("catalogue_picture_uses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_catalogue_picture_uses_picture_id"))

    op.drop_table("catalogue_picture_uses")
    op.drop_table("catalogue_pages")
    with op.batch_alter_table("catalogue_offers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_catalogue_offers_product_id"))

    op.drop_table("catalogue_offers")
