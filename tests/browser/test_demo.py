"""`python -m bot demo` as a person meets it: start, open the address, post a photo, press a button, stop."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

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
    settings = page.get_by_role("region", name="settings.channel", exact=True)
    await expect(settings.get_by_role("radio", name="Moderate")).to_be_checked()


async def walk(page: Page, name: str, *, back: bool = False) -> None:
    """Press Tab until what has the focus is called so, as somebody without a mouse does."""
    for _ in range(150):
        if name in str(await page.evaluate(FOCUSED)):
            return
        await page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"Tab never came to {name!r}")


FOCUSED = """() => {
  const at = document.activeElement;
  if (!at?.matches("button, a, input, textarea, [role=combobox], [role=textbox]")) return "";
  const label = document.getElementById(at?.getAttribute("aria-labelledby") ?? "");
  return at?.getAttribute("aria-label") || label?.textContent || at?.textContent || "";
}"""


async def test_the_keyboard_alone_does_everything(browser: Browser, address: str) -> None:
    page = await browser.new_page(viewport={"width": 1200, "height": 760})
    press = page.keyboard.press
    await page.goto(address)
    await expect(page.get_by_role("button", name="Post a sample photo")).to_be_visible()
    await walk(page, "Post a sample photo")
    await press("Enter")
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_role("button", name="Where to buy").first).to_be_visible(timeout=20_000)

    await walk(page, "Where to buy")
    await press("Enter")
    offers = page.get_by_role("dialog", name="Where to buy")
    await expect(offers.get_by_role("link", name="Visit store").first).to_be_visible(timeout=10_000)
    await walk(page, "Share in thread")
    await press("Enter")
    await expect(offers.get_by_text("Shared in the thread.")).to_be_visible(timeout=10_000)
    await press("Escape")
    await expect(thread.get_by_text("without shipping or tax")).to_be_visible()

    await walk(page, "Save: ")
    await press("Enter")
    saved = page.get_by_role("dialog", name="Save product")
    await expect(saved.get_by_text("Tell me when the price drops")).to_be_visible(timeout=10_000)
    await walk(page, "Save")
    await press("Enter")
    await expect(saved.get_by_text("Saved.")).to_be_visible(timeout=10_000)
    await press("Escape")

    await walk(page, "Choose an item")
    await press("Enter")
    items = page.get_by_role("dialog", name="Choose an item")
    await expect(items.get_by_role("radio").first).to_be_visible(timeout=15_000)
    await walk(page, "Find similar")
    await press("Enter")
    await expect(thread.get_by_text("From item 1").first).to_be_visible(timeout=20_000)

    await walk(page, "Act as Clara Vogt", back=True)
    await press("Enter")
    await expect(page.get_by_text("That’s you · Deutsch")).to_be_visible()


async def test_everybody_reads_their_own_language(browser: Browser, address: str) -> None:
    page = await browser.new_page(viewport={"width": 1200, "height": 760})
    await page.goto(address)
    await page.get_by_role("button", name="Post a sample photo").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_role("button", name="Where to buy").first).to_be_visible(timeout=20_000)
    await page.get_by_role("button", name="Act as Clara Vogt").click()
    await page.get_by_text("1 reply").click()
    await thread.get_by_role("button", name="Where to buy").first.click()
    await expect(page.get_by_role("dialog", name="Wo kaufen").get_by_role("link", name="Zum Händler").first).to_be_visible()


async def test_the_app_is_removed_and_installed_again(browser: Browser, address: str) -> None:
    page = await browser.new_page(viewport={"width": 1200, "height": 760})
    await page.goto(address)
    apps = page.get_by_role("navigation", name="Workspace").get_by_role("button", name="Image Insights")
    await apps.click()
    await page.get_by_role("tab", name="About").click()
    await page.get_by_role("button", name="Remove app").click()
    await page.get_by_role("button", name="Remove Image Insights").click()
    install = page.get_by_role("link", name="Install Image Insights")
    await expect(install).to_be_visible()
    await page.get_by_role("button", name="photos").click()
    await expect(page.get_by_text("Image Insights is not installed here any more.")).to_be_visible()
    await apps.click()
    async with page.expect_popup() as opened:
        await install.click()
    consent = await opened.value
    await expect(consent.get_by_text("reactions:write")).to_be_visible()
    await consent.get_by_role("button", name="Allow").click()
    await expect(consent.get_by_role("heading", name="Image Insights is in Local")).to_be_visible()
    await expect(page.get_by_role("tab", name="About")).to_be_visible()
    await page.get_by_role("button", name="photos").click()
    await page.get_by_role("button", name="Post a sample photo").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_role("button", name="Where to buy").first).to_be_visible(timeout=20_000)
