"""Another service of the Bing wire, such as a sister company's catalogue: INSIGHTS_URL as one source among others."""

from urllib.parse import urlsplit

from bot.errors import Unavailable, UserError
from bot.insights.client import HttpInsightsClient
from bot.insights.model import Insights, Module, Upload
from bot.sources import Question

MODULES = (Module.TAGS, Module.BRQ, Module.CAPTION, Module.SIMILAR_IMAGES, Module.SIMILAR_PRODUCTS, Module.PAGES_INCLUDING)


class BingWire:
    """Its tokens are its own: what is asked about a product of its goes to it again (`client`)."""

    def __init__(self, client: HttpInsightsClient, url: str) -> None:
        self.client = client
        self.name = urlsplit(url).hostname or url

    async def look(self, question: Question) -> Insights:
        """As Source says."""
        try:
            return await self.client.insights(
                Upload(question.jpeg),
                MODULES,
                query=question.query,
                market=question.market,
                language=question.language,
                safe_search=question.safe_search,
            )
        except UserError as error:
            raise Unavailable(f"{self.name} refuses the picture: {error}") from None
