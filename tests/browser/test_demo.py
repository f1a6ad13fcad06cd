"""`python -m bot demo` as a person meets it: start, open the address, post a photo, press a button, stop."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from .test_page import HEIC, browser

pytestmark = pytest.mark.browser
__all__ = ["browser"]
ROOT = Path(__file__).parents[2]


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
    await page.get_by_label("Files to attach").first.set_input_files(HEIC)
    await page.get_by_role("textbox", name="Message #photos").press("Enter")
    await expect(page.get_by_role("log", name="Messages").get_by_role("img", name="phone")).to_be_visible()
