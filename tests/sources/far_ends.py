"""Google Vision and SerpApi as they document themselves, in their own shapes, on loopback."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession
from aiohttp import web as aio
from PIL import Image

from bot import web
from tests.worlds import photo

KEY = "k-1234"
Answer = Callable[[], aio.Response]

VISION = {
    "responses": [
        {
            "webDetection": {
                "webEntities": [
                    {"entityId": "/m/0bt9lr", "score": 0.71, "description": "Drinkware"},
                    {"entityId": "/g/11x", "score": 0.93, "description": "Espresso cup"},
                    {"entityId": "/g/11y", "score": 0.4},
                ],
                "fullMatchingImages": [{"url": "https://shop.example/cup.jpg"}],
                "pagesWithMatchingImages": [
                    {
                        "url": "https://shop.example/cups",
                        "pageTitle": "<b>Espresso cups</b> &amp; more",
                        "fullMatchingImages": [{"url": "https://shop.example/cup.jpg"}],
                    }
                ],
                "visuallySimilarImages": [{"url": "https://pictures.example/red-espresso_cup.jpg"}],
                "bestGuessLabels": [{"label": "espresso cup and saucer", "languageCode": "en"}],
            }
        }
    ]
}

LENS = {
    "search_metadata": {"id": "67bf22", "status": "Success", "total_time_taken": 2.1},
    "search_parameters": {"engine": "google_lens"},
    "visual_matches": [
        {
            "position": 1,
            "title": "Nordic stoneware espresso cup",
            "link": "https://www.nordhaus.example/cup",
            "source": "Nordhaus",
            "source_icon": "https://serpapi.com/icon.png",
            "rating": 4.6,
            "reviews": 212,
            "price": {"value": "$14.50*", "extracted_value": 14.5, "currency": "$"},
            "in_stock": True,
            "thumbnail": "{here}/tbn/1.jpg",
            "thumbnail_width": 225,
            "thumbnail_height": 225,
            "image": "https://www.nordhaus.example/cup.jpg",
            "image_width": 1500,
            "image_height": 1500,
        },
        {
            "position": 2,
            "title": "How to choose an espresso cup",
            "link": "https://blog.example/cups",
            "source": "Coffee blog",
            "thumbnail": "{here}/tbn/2.jpg",
        },
        {
            "position": 3,
            "title": "Tasse à espresso",
            "link": "https://tasses.example/1",
            "source": "Tasses",
            "price": {"value": "12,90 €*", "extracted_value": 12.9, "currency": "€"},
            "thumbnail": "{here}/tbn/3.jpg",
        },
        {"position": 4, "title": "No link"},
    ],
    "related_content": [{"query": "stoneware espresso cup", "link": "https://www.google.com/search?q=cup"}],
}


@dataclass(slots=True)
class Googles:
    """Both services; each answers what its list says, the last one for ever. `opened` are the pictures they got."""

    url: str
    vision: list[Answer] = field(default_factory=lambda: [lambda: aio.json_response(VISION)])
    lens: list[Answer] = field(default_factory=list)
    asked: list[aio.Request] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)
    opened: list[Image.Image] = field(default_factory=list)
    slow: float = 0.0

    def __post_init__(self) -> None:
        self.lens = [saying(json.loads(json.dumps(LENS).replace("{here}", self.url)))]

    async def thumbnail(self, _: aio.Request) -> aio.Response:
        return aio.Response(body=photo("photo-02.jpg"), content_type="image/jpeg")

    async def annotate(self, request: aio.Request) -> aio.Response:
        self.asked.append(request)
        question = (await request.json())["requests"][0]
        self.questions.append(question)
        self.opened.append(Image.open(io.BytesIO(base64.b64decode(question["image"]["content"]))))
        await asyncio.sleep(self.slow)
        return _next(self.vision)

    async def search(self, request: aio.Request) -> aio.Response:
        self.asked.append(request)
        async with ClientSession() as session, session.get(request.query["url"]) as picture:
            if picture.status == 200:
                self.opened.append(Image.open(io.BytesIO(await picture.read())))
        await asyncio.sleep(self.slow)
        return _next(self.lens)

    def times(self, path: str) -> int:
        return len([one for one in self.asked if path in one.path])


def _next(answers: list[Answer]) -> aio.Response:
    return (answers.pop(0) if len(answers) > 1 else answers[0])()


def saying(body: Any, status: int = 200, **headers: str) -> Answer:
    """A text is sent as it is, anything else as JSON."""
    if isinstance(body, str):
        return lambda: aio.Response(text=body, status=status, headers=headers)
    return lambda: aio.json_response(body, status=status, headers=headers)


@asynccontextmanager
async def googles() -> AsyncIterator[Googles]:
    sock = web.bind("127.0.0.1", 0)
    far = Googles(web.address(sock))
    routes = [
        aio.post("/v1/images:annotate", far.annotate),
        aio.get("/search.json", far.search),
        aio.get("/tbn/{name}", far.thumbnail),
    ]
    async with web.listening(sock, routes, max_body=8 * 2**20):
        yield far
