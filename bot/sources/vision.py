"""Google Cloud Vision, Web Detection: pages with the picture, pictures that look like it, and what the web calls it.

It knows no products. Documented at cloud.google.com/vision/docs/detecting-web; the key goes in a header, so that no log has it.
"""

import base64
from collections.abc import Sequence
from html import unescape
from urllib.parse import unquote, urlsplit

from aiohttp import ClientSession

from bot.errors import Unavailable
from bot.insights.model import Caption, ImageObject, Insights, Query, SafeSearch, Tag
from bot.sources import Question
from bot.sources.asking import Asking, Shape

ADDRESS = "https://vision.googleapis.com"
MOST = 20


class Image(Shape):
    url: str = ""


class Page(Shape):
    url: str = ""
    page_title: str = ""
    full_matching_images: Sequence[Image] = ()
    partial_matching_images: Sequence[Image] = ()


class Entity(Shape):
    description: str = ""
    score: float = 0.0


class Label(Shape):
    label: str = ""


class Web(Shape):
    web_entities: Sequence[Entity] = ()
    pages_with_matching_images: Sequence[Page] = ()
    visually_similar_images: Sequence[Image] = ()
    best_guess_labels: Sequence[Label] = ()


class Problem(Shape):
    code: int = 0
    message: str = ""


class One(Shape):
    web_detection: Web | None = None
    error: Problem | None = None


class Answer(Shape):
    responses: Sequence[One]


class GoogleVision:
    name = "Google Vision"

    def __init__(self, session: ClientSession, key: str, *, address: str = ADDRESS) -> None:
        self._asking = Asking(session, self.name, "GOOGLE_VISION_KEY")
        self._url = f"{address.rstrip('/')}/v1/images:annotate"
        self._key = key

    async def look(self, question: Question) -> Insights:
        """As Source says. Strict leaves the similar images out: Vision does not say which of them are for everybody."""
        asked = {
            "image": {"content": base64.b64encode(question.jpeg).decode()},
            "features": [{"type": "WEB_DETECTION", "maxResults": MOST}],
            "imageContext": {"languageHints": [question.language]},
        }
        headers = {"X-Goog-Api-Key": self._key, "Content-Type": "application/json; charset=utf-8"}
        answer = await self._asking.ask(Answer, self._url, headers=headers, body={"requests": [asked]})
        one = answer.responses[0] if answer.responses else One()
        if one.error and one.error.code:
            raise Unavailable(f"{self.name} could not look at the picture (code {one.error.code}).")
        return _insights(one.web_detection or Web(), images=question.safe_search is not SafeSearch.STRICT)


def _insights(web: Web, *, images: bool) -> Insights:
    guess = next((label.label for label in web.best_guess_labels if label.label), "")
    entities = sorted((entity for entity in web.web_entities if entity.description), key=lambda entity: -entity.score)
    return Insights(
        token="",
        best_query=Query(guess, guess) if guess else None,
        caption=Caption(guess) if guess else None,
        tags=tuple(Tag(entity.description) for entity in entities),
        similar_images=tuple(_image(image.url) for image in web.visually_similar_images if image.url) if images else (),
        pages_including=tuple(_page(page) for page in web.pages_with_matching_images if page.url),
    )


def _image(url: str) -> ImageObject:
    """Vision gives addresses alone; the file's name is all there is to call it by."""
    parts = urlsplit(url)
    name = unquote(parts.path.rpartition("/")[2]).rpartition(".")[0].replace("-", " ").replace("_", " ")
    return ImageObject("", name or parts.netloc, url, url, host_page_url=url, host_page_display_url=parts.netloc)


def _page(page: Page) -> ImageObject:
    shown = next((image.url for image in (*page.full_matching_images, *page.partial_matching_images) if image.url), "")
    name = unescape(page.page_title.replace("<b>", "").replace("</b>", ""))
    return ImageObject("", name, shown, shown, host_page_url=page.url, host_page_display_url=urlsplit(page.url).netloc)
