"""One file per button: how it looks and what a click does. This is their table of contents."""

from collections.abc import Mapping
from types import ModuleType

from bot.slack.buttons import (
    add_product,
    ask_form,
    card_menu,
    choose_item,
    more_images,
    more_pages,
    more_products,
    more_stores,
    page_products,
    pick_item,
    pick_photo,
    post_result,
    rate,
    rate_down,
    remove_card,
    retry_card,
    retry_offers,
    sample_photo,
    save_product,
    search_words,
    settings_button,
    settings_form,
    share_card,
    share_offers,
    show_help,
    show_products,
    similar_images,
    sort_offers,
    stop_watch,
    undo_add,
    undo_channel,
    unsave_product,
    use_image,
    where_to_buy,
)

_ALL = (
    where_to_buy,
    sort_offers,
    more_stores,
    retry_offers,
    more_products,
    show_products,
    page_products,
    similar_images,
    more_images,
    use_image,
    card_menu,
    choose_item,
    pick_item,
    more_pages,
    search_words,
    rate,
    rate_down,
    remove_card,
    save_product,
    unsave_product,
    stop_watch,
    retry_card,
    pick_photo,
    show_help,
    settings_button,
    sample_photo,
    undo_channel,
    add_product,
    undo_add,
)

BUTTONS: Mapping[str, ModuleType] = {button.ACTION_ID: button for button in _ALL}
"""By action_id; each has `element` and `clicked`. Link buttons (link.py) are only acknowledged."""

_FORMS = (share_offers, share_card, rate, add_product, save_product, post_result, ask_form, settings_form, pick_item)

SUBMISSIONS: Mapping[str, ModuleType] = {form.CALLBACK_ID: form for form in _FORMS}
"""By callback_id of the modal; each has `meanwhile`, which answers Slack at once, and `submitted`, which does the work."""
