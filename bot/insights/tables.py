"""The engine's tables. Vectors are the truth here; every index is a projection of them."""

from sqlalchemy import Boolean, Column, Date, DateTime, Float, Index, Integer, LargeBinary, String, Table, Text

from bot.storage import tables

products = Table(
    "catalogue_products",
    tables,
    Column("id", String, primary_key=True),  # gtin:…, group:source:… or row:source:…
    Column("source", String, nullable=False),  # whose row said what the product is
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("product_type", Text, nullable=False),  # Kitchen > Drinkware > Mugs
    Column("color", Text, nullable=False),
    Column("material", Text, nullable=False),
    Column("size", Text, nullable=False),
    Column("gtin", String, nullable=False),
    Column("adult", Boolean, nullable=False),
    Column("rating_value", Float),
    Column("rating_count", Integer),
)

offers = Table(
    "catalogue_offers",
    tables,
    Column("source", String, primary_key=True),
    Column("id", String, primary_key=True),  # the row's own, unique in its source
    Column("digest", String, nullable=False),  # of the row as read: an unchanged row costs nothing
    Column("product_id", String, nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("link", Text, nullable=False, index=True),
    Column("price", String),  # decimal digits; a float would not be money
    Column("currency", String, nullable=False),
    Column("availability", String, nullable=False),
    Column("seller", Text, nullable=False),
    Column("last_seen", Date, nullable=False),
)

pictures = Table(
    "catalogue_pictures",
    tables,
    Column("id", String, primary_key=True),  # hash of product and content: 32 upper-case hex digits
    Column("product_id", String, nullable=False, index=True),  # empty: shows no product
    Column("content", String, nullable=False, index=True),  # SHA-256 of the source's bytes, and the stored file's name
    Column("hash", String, nullable=False),
    Column("vector", LargeBinary, nullable=False),  # float16
    Column("encoder", String, nullable=False),
    Column("width", Integer, nullable=False),  # of the stored file, as is bytes
    Column("height", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("accent", String, nullable=False),
    Column("published", DateTime, nullable=False),
    Index("ix_catalogue_pictures_encoder", "encoder", "content"),  # vectors make a walk over the table itself slow
)

vectors = Table(
    "catalogue_vectors",  # of an encoder that looks at the catalogue but does not serve yet
    tables,
    Column("content", String, primary_key=True),
    Column("encoder", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # float16
)

picture_uses = Table(
    "catalogue_picture_uses",
    tables,
    Column("source", String, primary_key=True),
    Column("used_by", String, primary_key=True),  # an offer's id, a page's address or a subject's key
    Column("position", Integer, primary_key=True),
    Column("address", Text, nullable=False),  # path or URL the feed names
    Column("picture_id", String, nullable=False, index=True),
    Index("ix_catalogue_picture_uses_address", "source", "address"),
)

addresses = Table(
    "catalogue_addresses",
    tables,
    Column("address", String, primary_key=True),  # of a picture on the web
    Column("etag", String, nullable=False),  # what its server said of it, for asking again
    Column("modified", String, nullable=False),
)

pages = Table(
    "catalogue_pages",
    tables,
    Column("source", String, primary_key=True),
    Column("url", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("title", Text, nullable=False),
)

subjects = Table(
    "catalogue_subjects",
    tables,
    Column("source", String, primary_key=True),
    Column("key", String, primary_key=True),  # recipe:…, collection:… or entity:…
    Column("position", Integer, nullable=False),
    Column("digest", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("facts", Text, nullable=False),  # JSON: what only its kind has
)

subject_products = Table(
    "catalogue_subject_products",
    tables,
    Column("source", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("product_id", String, nullable=False, index=True),
)

sellers = Table(
    "catalogue_sellers",
    tables,
    Column("name", String, primary_key=True),
    Column("source", String, nullable=False),
    Column("logo", String, nullable=False),  # content of the stored file
    Column("digest", String, nullable=False),
)

related_searches = Table(
    "catalogue_related_searches",
    tables,
    Column("source", String, primary_key=True),
    Column("product_type", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("query", Text, nullable=False),
)

sources = Table(
    "catalogue_sources",
    tables,
    Column("source", String, primary_key=True),
    Column("etag", String, nullable=False),
    Column("modified", String, nullable=False),
    Column("options", String, nullable=False),  # how it was imported: in another way, it is read again though it has not changed
    Column("imported", DateTime, nullable=False),
    Column("refused", Integer, nullable=False),
)

prices = Table(
    "catalogue_prices",  # a row for each change of price or availability of an offer
    tables,
    Column("source", String, primary_key=True),
    Column("offer", String, primary_key=True),
    Column("at", DateTime, primary_key=True),
    Column("price", String),
    Column("currency", String, nullable=False),
    Column("availability", String, nullable=False),
)

uploads = Table(
    "insights_uploads",
    tables,
    Column("token", String, primary_key=True),
    Column("encoder", String, nullable=False),
    Column("look", LargeBinary, nullable=False),  # what was seen; the picture itself is not kept
    Column("created", DateTime, nullable=False),
    Index("ix_insights_uploads_created", "created"),
)

changes = Table(
    "catalogue_changes",
    tables,
    Column("number", Integer, primary_key=True),
    Column("kind", String, nullable=False),  # product, picture, rest or all
    Column("key", String, nullable=False),  # its id
    sqlite_autoincrement=True,  # a number is never used again
)

engine_state = Table(
    "insights_state", tables, Column("key", String, primary_key=True), Column("value", LargeBinary, nullable=False)
)
