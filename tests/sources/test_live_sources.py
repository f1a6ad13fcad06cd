"""Live sources: what they are sent, what is made of their answers, and what happens when they misbehave."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from PIL import Image

from bot import web
from bot.config import Settings
from bot.errors import ConfigurationError, RateLimited, Unavailable
from bot.insights.model import OWN, Insights, Module, Outside, SafeSearch, Shortfall, Token, Upload, Url
from bot.lookup import MODULES
from bot.sources import Question, Source, lending, opening
from bot.sources.ladder import Ladder
from bot.sources.ledger import Ledger
from bot.sources.lens import GoogleLens
from bot.sources.vision import GoogleVision
from bot.storage import Database
from tests import databases
from tests.sources.far_ends import KEY, VISION, Googles, googles, saying
from tests.worlds import Engine, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRANGER, CUP = "none-01.jpg", "photo-09.jpg"
NOTHING: dict[str, Any] = {"responses": [{}]}
CAMERA = 0x0110


def exposed(name: str = STRANGER) -> bytes:
    """A photo that says what it was taken with."""
    picture = Image.open(io.BytesIO(photo(name)))
    exif = picture.getexif()
    exif[CAMERA] = "A camera"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


async def nobody(_: Insights) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Sources:
    """Both sources over the engine of the demo catalogue."""

    far: Googles
    ladder: Ladder
    ledger: Ledger

    async def look(self, data: bytes, *, team: str = "T1", allowed: bool = True, **how: Any) -> Insights:
        outside = Outside(team, nobody) if allowed else None
        return await self.ladder.insights(Upload(data), MODULES, outside=outside, **how)


@asynccontextmanager
async def sources_of(engine: Engine, data_dir: Path, *names: str, a_day: int = 100) -> AsyncIterator[Sources]:
    sock = web.bind("127.0.0.1", 0)
    async with googles() as far, Database.open(databases.where(data_dir)) as database, ClientSession() as session:
        ledger = Ledger(database)
        known: dict[str, Source] = {
            "vision": GoogleVision(session, KEY, address=far.url),
            "lens": GoogleLens(session, KEY, lending.lender(ledger, web.address(sock)), address=far.url),
        }
        async with web.listening(sock, lending.routes(ledger)):
            ladder = Ladder(engine.service, [known[name] for name in names], ledger, engine.pixels, a_day)
            yield Sources(far, ladder, ledger)


@pytest_asyncio.fixture(loop_scope="session")
async def both(engine: Engine, tmp_path: Path) -> AsyncIterator[Sources]:
    async with sources_of(engine, tmp_path, "lens", "vision") as sources:
        yield sources


@pytest_asyncio.fixture(loop_scope="session")
async def vision(engine: Engine, tmp_path: Path) -> AsyncIterator[Sources]:
    async with sources_of(engine, tmp_path, "vision") as sources:
        yield sources


# --- who is asked


async def test_nothing_leaves_without_leave(both: Sources) -> None:
    found = await both.look(exposed(), allowed=False)
    assert both.far.asked == []
    assert (found.source, found.similar_products) == (OWN, ())


async def test_what_the_catalogue_has_is_nobody_elses_business(both: Sources) -> None:
    found = await both.look(photo(CUP))
    assert both.far.asked == []
    assert found.source == OWN
    assert found.similar_products


async def test_only_an_upload_leaves_and_only_when_products_are_wanted(both: Sources, engine: Engine) -> None:
    outside = Outside("T1", nobody)
    token = (await engine.service.insights(Upload(photo(STRANGER)), [Module.TAGS])).token
    await both.ladder.insights(Token(token), MODULES, outside=outside)
    await both.ladder.insights(Upload(photo(STRANGER)), [Module.TAGS], outside=outside)
    assert both.far.asked == []


async def test_the_next_is_asked_when_one_finds_nothing(both: Sources) -> None:
    both.far.lens = [saying({"error": "Google Lens hasn't returned any results for this query."})]
    found = await both.look(exposed())
    assert found.source == "Google Vision"
    assert [one.path for one in both.far.asked] == ["/search.json", "/v1/images:annotate"]


async def test_the_token_and_the_words_of_the_catalogue_stay(both: Sources, engine: Engine) -> None:
    own = await engine.service.insights(Upload(exposed()), MODULES)
    found = await both.look(exposed())
    assert (found.token, found.source) == (own.token, "Google Lens")
    assert found.tags == own.tags


# --- what is sent


async def test_nothing_but_pixels_is_sent(both: Sources) -> None:
    await both.look(exposed())
    both.far.lens = [saying("gone", 500)]
    await both.look(exposed(), team="T2")
    assert [max(picture.size) <= 1024 for picture in both.far.opened] == [True, True, True]
    assert [dict(picture.getexif()) for picture in both.far.opened] == [{}, {}, {}]


async def test_vision_is_asked_as_it_documents(vision: Sources) -> None:
    await vision.look(exposed(), market="de-DE", language="de")
    asked, question = vision.far.asked[0], vision.far.questions[0]
    assert asked.headers["X-Goog-Api-Key"] == KEY
    assert KEY not in str(asked.url)
    assert question["features"] == [{"type": "WEB_DETECTION", "maxResults": 20}]
    assert question["imageContext"] == {"languageHints": ["de"]}


async def test_lens_is_asked_as_it_documents(both: Sources) -> None:
    await both.look(exposed(), market="de-DE", language="de", query="in blue", safe_search=SafeSearch.STRICT)
    asked = both.far.asked[0].query
    assert {name: asked[name] for name in ("engine", "hl", "country", "safe", "q", "api_key")} == {
        "engine": "google_lens",
        "hl": "de",
        "country": "de",
        "safe": "active",
        "q": "in blue",
        "api_key": KEY,
    }


async def test_a_lent_picture_is_taken_back(both: Sources) -> None:
    await both.look(exposed())
    url = both.far.asked[0].query["url"]
    assert len(both.far.opened) == 1
    async with ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404


# --- what is made of the answers


async def test_what_lens_finds(both: Sources) -> None:
    found = await both.look(exposed(), market="en-US")
    first, second = found.similar_products
    assert (first.name, first.host_page_url, first.rating and first.rating.count) == (
        "Nordic stoneware espresso cup",
        "https://www.nordhaus.example/cup",
        212,
    )
    offers = [product.aggregate_offer for product in found.similar_products]
    assert [(o.low_price, o.currency) for o in offers if o] == [(Decimal("14.5"), "USD"), (Decimal("12.9"), "EUR")]
    assert second.name == "Tasse à espresso"
    assert [image.name for image in found.similar_images][1] == "How to choose an espresso cup"
    assert [query.text for query in found.related_searches] == ["stoneware espresso cup"]


async def test_a_dollar_is_that_of_the_market(both: Sources) -> None:
    found = await both.look(exposed(), market="en-CA")
    assert [o.currency for product in found.similar_products if (o := product.aggregate_offer)] == ["CAD", "EUR"]


async def test_what_vision_finds(vision: Sources) -> None:
    found = await vision.ladder.sources[0].look(Question(exposed()))
    assert [tag.name for tag in found.tags] == ["Espresso cup", "Drinkware"]
    assert found.caption
    assert found.caption.caption == "espresso cup and saucer"
    assert [(page.name, page.host_page_url) for page in found.pages_including] == [
        ("Espresso cups & more", "https://shop.example/cups")
    ]
    assert [image.name for image in found.similar_images] == ["red espresso cup"]
    assert found.similar_products == ()


async def test_strict_leaves_out_images_that_nobody_has_judged(vision: Sources) -> None:
    assert (await vision.ladder.sources[0].look(Question(exposed(), safe_search=SafeSearch.STRICT))).similar_images == ()


# --- budget and memory


async def test_the_same_picture_is_asked_about_once_a_day(both: Sources) -> None:
    first, second = await both.look(exposed()), await both.look(exposed())
    assert [one.name for one in first.similar_products] == [one.name for one in second.similar_products]
    assert first.source == second.source == "Google Lens"
    assert len(both.far.asked) == 1
    await both.look(exposed(), market="de-DE")
    await both.look(exposed(), team="T2")
    assert len(both.far.asked) == 3


async def test_no_more_than_the_days_budget_is_asked(engine: Engine, tmp_path: Path) -> None:
    async with sources_of(engine, tmp_path, "vision", a_day=2) as sources:
        found = [await sources.look(exposed(), market=market) for market in ("en-US", "en-GB", "de-DE")]
        assert [one.source for one in found] == ["Google Vision", "Google Vision", OWN]
        assert [one.shortfall for one in found] == [Shortfall.NONE, Shortfall.NONE, Shortfall.SPENT]
        assert len(sources.far.asked) == 2
        assert await sources.ledger.asked_today("Google Vision") == 2


async def test_what_was_said_to_a_team_goes_with_the_team(both: Sources) -> None:
    await both.look(exposed())
    await both.ledger.forget("T1")
    await both.look(exposed())
    assert len(both.far.asked) == 2


# --- trouble


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<!doctype html><title>Bad gateway</title>", 502),
        ("<!doctype html><title>Sign in</title>", 200),
        ("", 200),
        ({"error": {"code": 403, "message": "The key is not valid", "status": "PERMISSION_DENIED"}}, 403),
        ({"responses": [{"error": {"code": 14, "message": "busy"}}]}, 200),
        ({"responses": {"webDetection": {}}}, 200),
        ({"responses": [{"webDetection": {"webEntities": [{"score": "high"}]}}]}, 200),
        ([1, 2], 200),
        ("[" * 100_000, 200),
    ],
    ids=str,
)
async def test_an_answer_that_is_not_the_contract_is_an_outage(vision: Sources, body: Any, status: int) -> None:
    vision.far.vision = [saying(body, status)]
    with pytest.raises(Unavailable):
        await vision.ladder.sources[0].look(Question(exposed()))
    found = await vision.look(exposed())
    assert (found.source, found.shortfall) == (OWN, Shortfall.NONE)


@pytest.mark.parametrize(
    "body",
    [{"error": "Invalid API key."}, {"visual_matches": {"title": "x"}}, {"visual_matches": [{"price": "free"}]}, "nonsense"],
    ids=str,
)
async def test_the_same_holds_for_lens(both: Sources, body: Any) -> None:
    both.far.lens = [saying(body)]
    with pytest.raises(Unavailable):
        await both.ladder.sources[0].look(Question(exposed()))


async def test_too_many_questions_is_said_with_when_to_come_again(vision: Sources) -> None:
    vision.far.vision = [saying({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, 429, **{"Retry-After": "7"})]
    with pytest.raises(RateLimited) as problem:
        await vision.ladder.sources[0].look(Question(exposed()))
    assert problem.value.retry_after == 7


async def test_who_keeps_failing_is_left_alone_for_a_while(vision: Sources) -> None:
    vision.far.vision = [saying("down", 503)]
    for number in range(30):
        await vision.look(exposed(), query=f"mug {number}")
    assert len(vision.far.asked) == 20


async def test_others_answer_while_the_catalogue_cannot(engine: Engine, tmp_path: Path) -> None:
    class Down:
        async def insights(self, *_: Any, **__: Any) -> Insights:
            raise Unavailable("down")

        search: Any = insights
        things: Any = insights

    async with sources_of(engine, tmp_path, "vision") as sources:
        ladder = Ladder(Down(), sources.ladder.sources, sources.ledger, engine.pixels, 9)
        found = await ladder.insights(Upload(exposed()), MODULES, outside=Outside("T1", nobody))
        assert found.source == "Google Vision"
        with pytest.raises(Unavailable, match="down"):
            await ladder.insights(Upload(exposed()), MODULES)
        with pytest.raises(Unavailable, match="down"):
            await ladder.insights(Url("https://a.example/a.jpg"), MODULES, outside=Outside("T1", nobody))


async def test_an_answer_without_anything_is_remembered_too(vision: Sources) -> None:
    vision.far.vision = [saying(NOTHING), saying(VISION)]
    assert [(await vision.look(exposed())).source for _ in range(2)] == [OWN, OWN]
    assert len(vision.far.asked) == 1


# --- settings


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"live_sources": ("vision",)}, "GOOGLE_VISION_KEY"),
        ({"live_sources": ("lens",)}, "SERPAPI_KEY"),
        ({"live_sources": ("lens",), "serpapi_key": "k"}, "PUBLIC_URL"),
        ({"live_sources": ("bing",)}, "INSIGHTS_URL"),
    ],
)
async def test_a_source_says_what_it_lacks(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        opening.check(Settings(_env_file=None, **settings))
