"""The app as Slack sees it: manifest.yml with this installation's address, or for Socket Mode where it has none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from bot.errors import ConfigurationError

MANIFEST = Path(__file__).parent.parent.parent / "manifest.yml"
EVENTS_PATH, INSTALL, REDIRECT = "/slack/events", "/slack/install", "/slack/oauth_redirect"


def manifest_for(public_url: str, domains: Sequence[str] = ()) -> str:
    """YAML for Slack's "Create an app from a manifest". Raises ConfigurationError for an address that Slack would refuse."""
    if public_url and not public_url.startswith("https://"):
        raise ConfigurationError("PUBLIC_URL (--url) must start with https://: Slack sends events nowhere else.")
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    address = public_url.rstrip("/") + EVENTS_PATH if public_url else ""
    settings = manifest["settings"]
    settings["socket_mode_enabled"] = not address
    for part in (settings["event_subscriptions"], settings["interactivity"]):
        _address(part, "request_url", address)
    if address:
        manifest["oauth_config"] = {"redirect_urls": [public_url.rstrip("/") + REDIRECT], **manifest["oauth_config"]}
    for command in manifest["features"]["slash_commands"]:
        _address(command, "url", address)
    if domains:
        manifest["features"]["unfurl_domains"] = list(domains)
    else:
        del manifest["features"]["unfurl_domains"]
        settings["event_subscriptions"]["bot_events"].remove("link_shared")
    manifest["oauth_config"]["scopes"]["bot"] = scopes(domains)
    return str(yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=120))


def scopes(domains: Sequence[str] = ()) -> list[str]:
    """What the bot asks for when it is installed; what only links of shops need, where there are shops."""
    every: list[str] = list(yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"])
    return [scope for scope in every if domains or not scope.startswith("links:")]


def _address(part: dict[str, Any], name: str, address: str) -> None:
    part.pop(name, None)
    if address:
        part[name] = address
