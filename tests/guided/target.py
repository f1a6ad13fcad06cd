"""One parser under a fuzzer that watches which branches it takes: `target.py NAME SECONDS FOLDER`.

Ends with an error, and the input in FOLDER, when the parser raises what it does not say that it raises.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bot"]):
    from bot.errors import InvalidValue, UserError
    from bot.insights.bing.asking import read_audience, read_knowledge_request, read_names, read_question, read_search
    from bot.insights.feeds import Feed, read_feed
    from bot.insights.multipart import read_form
    from bot.insights.refining import refine
    from bot.slack.values import parse

FORM = "multipart/form-data; boundary=b"


def feed(data: bytes) -> None:
    try:
        read_feed(Feed(), data, "https://shop.example/feed")
    except UserError:
        pass


def form(data: bytes) -> None:
    sent = read_form(data, FORM)
    try:
        read_knowledge_request(sent.knowledge_request)
    except InvalidValue:
        pass


def question(data: bytes) -> None:
    """Tokens, crops, modules, markets: the query string."""
    parts = data.decode("utf-8", "replace").split("&")
    given = read_names((name, value) for name, _, value in (part.partition("=") for part in parts))
    for read in (read_audience, read_question, read_search):
        try:
            read(given)
        except InvalidValue:
            pass


def words(data: bytes) -> None:
    """What people say beside a photo, and what a button of ours carries."""
    text = data.decode("utf-8", "replace")
    refine(text)
    parse(text)


TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "feed": (
        feed,
        [
            b"id\ttitle\tlink\timage_link\tprice\n1\tMug\thttps://a.example/1\thttps://a.example/1.jpg\t9,50 EUR\n",
            b'{"id": "1", "title": "Mug", "link": "https://a.example/1", "image_link": "1.jpg", "price": "9.50 USD"}\n',
            b'<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>1</g:id></item></channel></rss>',
            b'{"products": [{"id": 1, "title": "Mug", "handle": "mug", "variants": [{"id": 2, "price": "9.50"}], "images": []}]}',
            b'<html><script type="application/ld+json">{"@type": "Product", "name": "Mug"}</script></html>',
        ],
    ),
    "form": (
        form,
        [b'--b\r\nContent-Disposition: form-data; name="knowledgeRequest"\r\n\r\n{"imageInfo": {"cropArea": {}}}\r\n--b--'],
    ),
    "question": (question, [b"insightsToken=bcid_a*ccid_b&modules=Tags,All&cal=0.1&cat=.2&car=0.9&cab=1&mkt=en-US&count=35"]),
    "words": (words, [b"in blue, under $50 and not red", "in Blau unter 50 €".encode(), b"v1:BzhThmJB59bL:p1"]),
}


def main(name: str, seconds: str, folder: str) -> None:
    look, seeds = TARGETS[name]
    corpus = Path(folder) / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        "-max_len=4096",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/{name}-", str(corpus)], look)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
