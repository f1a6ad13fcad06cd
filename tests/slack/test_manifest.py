"""manifest.yml keeps Slack's rules and says exactly what the listeners need (slack-platform.md §8)."""

import re
from pathlib import Path
from typing import Any

import yaml

from bot.slack.listeners import COMMANDS, EVENTS, SHORTCUTS
from bot.slack.manifest import manifest_for

MANIFEST: dict[str, Any] = yaml.safe_load((Path(__file__).parent.parent.parent / "manifest.yml").read_text())
SCOPE_OF = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "link_shared": "links:read",
}
METHODS = {"chat:write", "files:read", "files:write", "reactions:write", "users:read", "channels:join", "links:write"}
"""Of what is posted, pictures read and drawn, the eyes, who may what, and channels chosen in the settings."""


def test_it_subscribes_to_what_is_listened_to_and_nothing_else() -> None:
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert events == sorted(EVENTS)


def test_it_has_the_commands_that_are_answered() -> None:
    assert {command["command"] for command in MANIFEST["features"]["slash_commands"]} == COMMANDS


def test_it_has_the_shortcuts_that_are_answered() -> None:
    shortcuts = MANIFEST["features"]["shortcuts"]
    assert {shortcut["callback_id"] for shortcut in shortcuts} == SHORTCUTS
    assert all(len(shortcut["name"]) <= 24 and len(shortcut["description"]) <= 150 for shortcut in shortcuts)
    assert len(shortcuts) <= 10


def test_it_asks_for_exactly_the_scopes_that_are_used() -> None:
    scopes = MANIFEST["oauth_config"]["scopes"]["bot"]
    needed = METHODS | {"commands", "channels:read", "groups:read"} | {SCOPE_OF[e] for e in EVENTS if e in SCOPE_OF}
    assert scopes == sorted(needed)


def test_it_keeps_slacks_limits() -> None:
    about, features = MANIFEST["display_information"], MANIFEST["features"]
    assert 1 <= len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert 175 <= len(about["long_description"]) <= 4000
    assert len(features["bot_user"]["display_name"]) <= 80
    assert len(features["slash_commands"]) <= 50
    for command in features["slash_commands"]:
        assert re.fullmatch(r"/[a-z0-9_-]{1,31}", command["command"])
        assert 1 <= len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
    assert len(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) <= 100
    assert set(MANIFEST) == {"_metadata", "display_information", "features", "oauth_config", "settings"}


def test_every_request_comes_to_one_https_address() -> None:
    settings = MANIFEST["settings"]
    urls = {settings["event_subscriptions"]["request_url"], settings["interactivity"]["request_url"]}
    urls |= {command["url"] for command in MANIFEST["features"]["slash_commands"]}
    assert len(urls) == 1
    assert urls.pop().startswith("https://")
    assert settings["interactivity"]["is_enabled"] is True


def test_links_are_previewed_only_where_shops_are_named() -> None:
    plain, with_shops = (yaml.safe_load(manifest_for("https://bot.example", shops)) for shops in ((), ("shop.example",)))
    assert with_shops["features"]["unfurl_domains"] == ["shop.example"]
    assert "unfurl_domains" not in plain["features"]
    for one, named in ((plain, False), (with_shops, True)):
        assert ("link_shared" in one["settings"]["event_subscriptions"]["bot_events"]) is named
        assert ("links:write" in one["oauth_config"]["scopes"]["bot"]) is named


def test_workspaces_come_back_to_this_installation() -> None:
    manifest = yaml.safe_load(manifest_for("https://bot.example/"))
    assert manifest["oauth_config"]["redirect_urls"] == ["https://bot.example/slack/oauth_redirect"]
    assert "redirect_urls" not in yaml.safe_load(manifest_for(""))["oauth_config"]
