"""Settings of a channel or of the workspace (cards.md §9.15)."""

from collections.abc import Sequence

from bot.insights.bing import MARKETS
from bot.insights.model import SafeSearch
from bot.language import LANGUAGES, listed, marked, tr
from bot.money import locale_of
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, alert, below, context, option, plain, section
from bot.slack.cards.context import ViewState
from bot.slack.cards.views import modal
from bot.slack.values import NONE
from bot.teams import FULL, SHORT, Preferences

ADDING, OUTSIDE = "adding", "outside"
FOR_ADMINS = marked("Only an admin can change the settings of the workspace. Those of a channel are in the menu of a card there.")
_SAFE = {
    SafeSearch.STRICT: marked("Hide adult images and text"),
    SafeSearch.MODERATE: marked("Hide adult images"),
    SafeSearch.OFF: marked("Show everything"),
}
_NAMES = {SafeSearch.STRICT: marked("Strict"), SafeSearch.MODERATE: marked("Moderate"), SafeSearch.OFF: marked("Off")}
_SIZES = {
    FULL: (marked("Full card"), marked("Up to five products with pictures")),
    SHORT: (marked("Short card"), marked("Caption, tags and one line of prices")),
}
AS_MARKET = "market"


def loading(channel: str) -> Payload:
    return modal("settings", tr("Settings"), [context(tr("Reading the settings…"))], _state(channel), close=tr("Cancel"))


def refused(text: str) -> Payload:
    return modal("settings", tr("Settings"), [section(tr(text))], _state(""))


def form(
    channel: str,
    now: Preferences,
    *,
    answered: Sequence[str] = (),
    adding: bool = False,
    reaction: str = "",
    elsewhere: Sequence[str] = (),
) -> Payload:
    """Of a channel, or with channel "" of the workspace, which alone may show everything and say where pictures are answered.

    elsewhere: live sources that pictures may go to, where this person may decide that.
    """
    whole = not channel
    for_whom = tr("These hold wherever a channel has none of its own.") if whole else tr("For {person}", person=f"<#{channel}>")
    markets = {market: option(_own_name(market), market) for market in dict.fromkeys((*MARKETS, now.market))}
    safe = {one: _described(_NAMES[one], one.value, said) for one, said in _SAFE.items() if whole or one is not SafeSearch.OFF}
    sizes = {size: _described(label, size, said) for size, (label, said) in _SIZES.items()}
    market: Block = {"type": "static_select", "options": [*markets.values()], "initial_option": markets[now.market]}
    languages = {AS_MARKET: option(tr("As the market"), AS_MARKET)} | {
        code: option(name, code) for code, name in LANGUAGES.items()
    }
    language: Block = {"type": "static_select", "options": [*languages.values()]}
    language["initial_option"] = languages.get(now.language, languages[AS_MARKET])
    search: Block = {"type": "radio_buttons", "options": [*safe.values()]}
    search["initial_option"] = safe.get(now.safe_search, safe[SafeSearch.MODERATE])
    size: Block = {"type": "radio_buttons", "options": [*sizes.values()], "initial_option": sizes.get(now.size, sizes[FULL])}
    blocks = [
        context(for_whom),
        _input("market", tr("Market"), market, tr("Sets the stores, the currency and the language of captions.")),
        _input(
            "language",
            tr("Language"),
            language,
            tr("Of what everybody reads. What only you see is in your Slack’s language."),
        ),
        _input("safe", tr("Safe search"), search),
        _input("size", tr("Card size"), size),
    ]
    if elsewhere:
        blocks.append(_outside(elsewhere, on=now.outside))
    if whole:
        blocks += [_channels(answered), _reaction(reaction), _adding(on=adding)]
    return modal("settings", tr("Settings"), blocks, _state(channel), submit=tr("Save"), close=tr("Cancel"))


def saving(channel: str) -> Payload:
    return modal("settings", tr("Settings"), [context(tr("Saving…"))], _state(channel))


def saved(channel: str, problems: Sequence[str]) -> Payload:
    """problems: channels that we could not join."""
    blocks = [alert(tr("Saved."), "success")]
    if problems:
        named = ", ".join(f"<#{one}>" for one in problems[:5])
        blocks.append(section(tr("Invite me to {channels} first: `/invite @Image Insights`", channels=named)))
    return modal("settings", tr("Settings"), blocks, _state(channel))


def _channels(answered: Sequence[str]) -> Block:
    element: Block = {
        "type": "multi_conversations_select",
        "placeholder": plain(tr("Pick channels")),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    if answered:
        element["initial_conversations"] = list(answered)
    hint = tr("In other channels use /insights or the message shortcut.")
    return _input("chans", tr("Answer every photo in"), element, hint) | {"optional": True}


def _outside(names: Sequence[str], *, on: bool) -> Block:
    choice = option(tr("Ask others when nothing is found"), OUTSIDE) | {"description": plain(listed(names))}
    element: Block = {"type": "checkboxes", "options": [choice]}
    if on:
        element["initial_options"] = [choice]
    hint = tr("Those photos leave this server, as pixels and nothing else.")
    return _input("outside", tr("Live sources"), element, hint) | {"optional": True}


def _reaction(name: str) -> Block:
    element: Block = {"type": "plain_text_input", "max_length": 100} | ({"initial_value": name} if name else {})
    hint = tr("Its name, such as mag. Whoever puts it on a photo gets the results.")
    return _input("reaction", tr("Reaction that asks me"), element, hint) | {"optional": True}


def _adding(*, on: bool) -> Block:
    choice = _described(marked("Members may add products"), ADDING, marked("Post a picture and say: add this, $40"))
    element: Block = {"type": "checkboxes", "options": [choice]}
    if on:
        element["initial_options"] = [choice]
    return _input("adding", tr("Catalogue"), element) | {"optional": True}


def _input(name: str, label: str, element: Block, hint: str = "") -> Block:
    block: Block = {"type": "input", "block_id": name, "label": plain(label), "element": {"action_id": "v"} | element}
    return block | below(hint)


def _described(label: str, value: str, said: str) -> Block:
    return option(tr(label), value) | {"description": plain(tr(said))}


def _own_name(market: str) -> str:
    """`Deutsch (Deutschland)`, in its own words."""
    locale = locale_of(market)
    return mrkdwn.cut(locale.get_display_name() or market, 60)


def _state(channel: str) -> ViewState:
    return ViewState(NONE, channel)
