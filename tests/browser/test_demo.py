"""`python -m bot demo` as a person meets it: start, open the address, post a photo, press a button, stop."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from .test_page import HEIC, browser, drop, picture

pytestmark = pytest.mark.browser
__all__ = ["browser"]
ROOT = Path(__file__).parents[2]
NOT_SOLD = ROOT / "bot/demo/catalogue/photos/none-01.jpg"


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    environment = {**os.environ, "DATA_DIR": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--port", "0", cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    async with asyncio.timeout(120):
        line = ""
        while not line.startswith("Open "):
            line = (await process.stdout.readline()).decode()
            assert line, "the demo ended before it was open"
    yield line.split()[1]
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        assert await process.wait() == 0


async def test_a_photo_gets_real_products_and_a_real_shop(browser: Browser, address: str) -> None:
    page = await browser.new_page(viewport={"width": 1200, "height": 760})
    await page.goto(address)
    await page.get_by_role("button", name="Post a sample photo").click()
    thread = page.get_by_role("complementary", name="Thread")
    await thread.get_by_role("button", name="Where to buy").first.click(timeout=20_000)
    dialog = page.get_by_role("dialog", name="Where to buy")
    await expect(dialog.get_by_role("link", name="Visit store").first).to_be_visible(timeout=10_000)
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    box, log = page.get_by_role("textbox", name="Message #photos"), page.get_by_role("log", name="Messages")
    await page.get_by_label("Files to attach").first.set_input_files(HEIC)
    await box.press("Enter")
    await expect(log.get_by_role("img", name="phone")).to_be_visible()
    await drop(page.get_by_role("main"), {"name": "case.jpg", "mimeType": "image/jpeg", "buffer": NOT_SOLD.read_bytes()})
    await box.press("Enter")
    await expect(thread.get_by_role("button", name="Enlarge case.jpg")).to_be_visible(timeout=20_000)
    await expect(thread.get_by_text("No similar products found.")).to_be_visible()
    await expect(thread.get_by_role("button", name="Where to buy")).to_have_count(0)
    await drop(page.get_by_role("main"), picture("mug.webp", (640, 480)))
    await box.press("Enter")
    await expect(thread.get_by_role("button", name="Enlarge mug.webp")).to_be_visible(timeout=20_000)
    await expect(thread.get_by_role("button", name="Where to buy").first).to_be_visible()


async def test_everything_on_a_card_can_be_done_on_the_page(browser: Browser, address: str) -> None:
    page = await browser.new_page(viewport={"width": 1200, "height": 760})
    await page.goto(address)
    await page.get_by_role("button", name="Post a sample photo").click()
    thread = page.get_by_role("complementary", name="Thread")
    await thread.get_by_role("button", name="Choose an item").first.click(timeout=20_000)
    dialog = page.get_by_role("dialog", name="Choose an item")
    await expect(dialog.get_by_text("What should I look for?")).to_be_visible(timeout=15_000)
    await page.keyboard.press("Escape")
    await thread.get_by_role("button", name="Save").first.click()
    saved = page.get_by_role("dialog", name="Save product")
    await saved.get_by_role("button", name="Save", exact=True).click()
    await expect(saved.get_by_text("Saved.")).to_be_visible(timeout=10_000)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Traffic").click()
    traffic = page.get_by_role("complementary", name="Traffic")
    await expect(traffic.get_by_text("chat.postMessage").first).to_be_visible()
    await page.get_by_role("button", name="Cards").click()
    await expect(page.get_by_role("heading", name="insights.full")).to_be_visible(timeout=10_000)
