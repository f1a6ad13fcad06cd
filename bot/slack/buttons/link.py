"""Link buttons: Slack opens the address itself, a click is only acknowledged."""

import re

from bot.slack.blocks import Block, button
from bot.slack.mrkdwn import web_url

ACTION_ID = re.compile(r"insights\.link\..+")
"""Every link button's; Bolt matches it."""


def element(label: str, url: str, what: str, *, about: str = "") -> Block | None:
    """None where the address is not one to send people to. `what` is unique in its block: `offer.0`."""
    address = web_url(url)
    return button(label, f"insights.link.{what}", about=about, url=address) if address else None
