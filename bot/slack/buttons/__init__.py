"""One file per button: how it looks and what a click does. This is their table of contents."""

from collections.abc import Mapping
from types import ModuleType

from bot.slack.buttons import (
    add_product,
    more_images,
    more_products,
    more_stores,
    page_products,
    retry_card,
    retry_offers,
    share_offers,
    show_help,
    similar_images,
    sort_offers,
    undo_add,
    undo_channel,
    use_image,
    where_to_buy,
)

_ALL = (
    where_to_buy,
    sort_offers,
    more_stores,
    retry_offers,
    more_products,
    page_products,
    similar_images,
    more_images,
    use_image,
    retry_card,
    show_help,
    undo_channel,
    add_product,
    undo_add,
)

BUTTONS: Mapping[str, ModuleType] = {button.ACTION_ID: button for button in _ALL}
"""By action_id; each has `element` and `clicked`. Link buttons (link.py) are only acknowledged."""

SUBMISSIONS: Mapping[str, ModuleType] = {one.CALLBACK_ID: one for one in (share_offers, add_product)}
"""By callback_id of the modal; each has `meanwhile`, which answers Slack at once, and `submitted`, which does the work."""
