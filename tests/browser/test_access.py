"""Nothing on the page keeps anybody out: axe-core over every surface, in light and dark, on a phone, at twice the size."""

import json
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from .test_demo import address
from .test_page import browser

pytestmark = pytest.mark.browser
__all__ = ["address", "browser"]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
WIDE, PHONE, ZOOMED = (1200, 760), (390, 844), (600, 380)
"""Twice the size on a window of 1200 × 760 leaves 600 × 380."""


async def found(page: Page) -> list[str]:
    """What axe-core objects to, each with the first element it means."""
    await page.evaluate(AXE)
    answer: dict[str, Any] = json.loads(await page.evaluate("axe.run(document).then(JSON.stringify)"))
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]} ({len(one['nodes'])})" for one in answer["violations"]]


@pytest.mark.parametrize(
    ("size", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (PHONE, "dark"), (ZOOMED, "light")]
)
async def test_axe_finds_nothing(browser: Browser, address: str, size: tuple[int, int], scheme: Any) -> None:
    context = await browser.new_context(viewport=ViewportSize(width=size[0], height=size[1]), color_scheme=scheme)
    page = await context.new_page()
    await page.goto(address)
    objections: dict[str, list[str]] = {}

    async def look(where: str) -> None:
        await page.wait_for_timeout(300)  # what fades in has its colours then
        if some := await found(page):
            objections[where] = some

    await expect(page.get_by_role("button", name="Post a sample photo")).to_be_visible()
    await look("an empty channel")
    await page.get_by_role("button", name="Open the App Home").click()
    await expect(page.get_by_role("heading", name="Image Insights", level=1)).to_be_visible()
    await look("home")
    if size != WIDE:
        await page.get_by_role("button", name="Channels", exact=True).click()
    await page.get_by_role("navigation").get_by_role("button", name="photos").click()
    await page.get_by_role("button", name="Post a sample photo").click()
    thread = page.get_by_role("complementary", name="Thread")
    if size != WIDE:  # a thread covers the channel there, so it does not open by itself
        await page.get_by_role("button", name="1 reply").click(timeout=20_000)
    buy = thread.get_by_role("button", name="Where to buy").first
    await expect(buy).to_be_visible(timeout=20_000)
    await look("a thread with a card")
    await buy.click()
    await expect(page.get_by_role("link", name="Visit store").first).to_be_visible(timeout=10_000)
    await look("where to buy")
    await page.keyboard.press("Escape")
    await thread.get_by_role("button", name="Choose an item").first.click()
    await expect(page.get_by_role("dialog")).to_be_visible(timeout=10_000)
    await page.wait_for_timeout(1500)
    await look("choose an item")
    await page.keyboard.press("Escape")
    if size == WIDE:  # tools for developers
        await page.get_by_role("button", name="Traffic").click()
        await look("traffic")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Cards").click()
        await look("cards")
        await page.keyboard.press("Escape")
    assert objections == {}


async def test_axe_would_find_something(browser: Browser, address: str) -> None:
    page = await browser.new_page()
    await page.goto(address)
    await expect(page.get_by_role("main")).to_be_visible()
    await page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x><button></button>')")
    assert {one.partition(":")[0] for one in await found(page)} == {"image-alt", "button-name"}
