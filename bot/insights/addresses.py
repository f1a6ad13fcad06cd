"""Addresses of shops' pages as people pass them on: with trackers, without the slash, from another scheme."""

from collections.abc import Sequence
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

TRACKERS = frozenset({"gclid", "fbclid", "msclkid", "dclid", "mc_cid", "mc_eid", "igshid", "srsltid", "ref", "_ga", "yclid"})


def spellings(url: str) -> Sequence[str]:
    """What the catalogue may call the page of an address, the likeliest first; empty for what is no web address."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ()
    if not named:
        return ()
    bare = parts._replace(netloc=parts.netloc.lower(), fragment="")
    kept = [(name, value) for name, value in parse_qsl(bare.query, keep_blank_values=True) if not _tracks(name)]
    queries = dict.fromkeys((bare.query, urlencode(kept), ""))
    found = [url]
    for query in queries:
        found += [one.geturl() for path in _paths(bare) for one in _schemes(bare._replace(query=query, path=path))]
    return list(dict.fromkeys(found))


def _tracks(name: str) -> bool:
    return name.startswith("utm_") or name in TRACKERS


def _paths(parts: SplitResult) -> Sequence[str]:
    path = parts.path.rstrip("/")
    return (parts.path, path, f"{path}/")


def _schemes(parts: SplitResult) -> Sequence[SplitResult]:
    return (parts, parts._replace(scheme="http" if parts.scheme == "https" else "https"))
