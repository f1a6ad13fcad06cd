"""One file per button: how it looks and what a click does. This is their table of contents."""

from collections.abc import Mapping
from types import ModuleType

from bot.slack.buttons import (
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
)

BUTTONS: Mapping[str, ModuleType] = {button.ACTION_ID: button for button in _ALL}
"""By action_id; each has `element` and `clicked`. Link buttons (link.py) are only acknowledged."""

SUBMISSIONS: Mapping[str, ModuleType] = {share_offers.CALLBACK_ID: share_offers}
"""By callback_id of the modal; each has `meanwhile` and `submitted`."""
