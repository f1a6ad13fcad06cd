"""A person in a browser: what they see and do on the page, with a bot that answers every photo with the same card."""

import base64
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, FilePayload, JSHandle, Locator, Page, async_playwright, expect

from bot.demo.objects import KITCHEN_ID, PHOTOS_ID
from bot.demo.workspace import Workspace

from . import canned_bot

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
PHOTO = Path(__file__).parents[2] / "bot/demo/catalogue/photos/photo-01.jpg"
HEIC = Path(__file__).parents[1] / "demo/phone.heic"
TRANSFER = """files => {
  const transfer = new DataTransfer();
  for (const { name, type, bytes } of files)
    transfer.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], name, { type }));
  return transfer;
}"""


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with canned_bot.page() as workspace:
        yield workspace


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, workspace: Workspace) -> AsyncIterator[Page]:
    """The page as Ana opens it; whatever its scripts complain about fails the test."""
    context = await browser.new_context(viewport={"width": 1200, "height": 760}, color_scheme="light")
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await page.goto(workspace.base_url)
    await expect(page.get_by_role("textbox", name="Message #photos")).to_be_visible()
    yield page
    assert complaints == []


def picture(name: str, size: tuple[int, int] = (96, 64)) -> FilePayload:
    """PHOTO made small, in the format that the name asks for."""
    kind = name.rpartition(".")[2]
    held = io.BytesIO()
    with Image.open(PHOTO) as photo:
        photo.resize(size).save(held, kind)
    return {"name": name, "mimeType": f"image/{kind}", "buffer": held.getvalue()}


async def transfer(page: Page, *files: FilePayload) -> JSHandle:
    """What the browser hands over with a drop or a paste."""
    sent = [
        {"name": file["name"], "type": file["mimeType"], "bytes": base64.b64encode(file["buffer"]).decode()} for file in files
    ]
    return await page.evaluate_handle(TRANSFER, sent)


async def drop(target: Locator, *files: FilePayload) -> None:
    held = await transfer(target.page, *files)
    for step in ("dragenter", "dragover", "drop"):
        await target.dispatch_event(step, {"dataTransfer": held})


async def paste(box: Locator, *files: FilePayload) -> None:
    held = await transfer(box.page, *files)
    await box.evaluate("(box, held) => box.dispatchEvent(new ClipboardEvent('paste', { clipboardData: held }))", held)


async def test_a_sample_photo_gets_its_card_in_the_thread_and_offers_in_a_dialog(page: Page) -> None:
    await page.get_by_role("button", name="Post a sample photo").click()
    thread = page.get_by_role("complementary", name="Thread")
    buy = thread.get_by_role("button", name="Where to buy").first
    await expect(buy).to_be_visible()
    await expect(page.get_by_role("log", name="Messages").get_by_role("button", name="1 reply")).to_be_visible()
    await buy.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Where to buy")
    await expect(dialog.get_by_role("link", name="Visit store").first).to_be_visible()
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await dialog.evaluate("box => box.contains(document.activeElement)")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(buy).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(thread).to_have_count(0)


async def test_a_select_in_a_dialog_closes_before_the_dialog_does(page: Page) -> None:
    await page.get_by_role("button", name="Post a sample photo").click()
    await page.get_by_role("complementary", name="Thread").get_by_role("button", name="Where to buy").first.click()
    dialog = page.get_by_role("dialog", name="Where to buy")
    await dialog.get_by_role("combobox").click()
    await expect(dialog.get_by_role("option", name="In stock first")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog.get_by_role("option")).to_have_count(0)
    await expect(dialog).to_be_visible()


async def test_a_picture_dropped_on_the_page_says_where_it_goes(page: Page) -> None:
    main = page.get_by_role("main")
    held = await transfer(page, picture("mug.png"))
    await main.dispatch_event("dragenter", {"dataTransfer": held})
    await expect(main.get_by_text("Upload to #photos")).to_be_visible()
    await main.dispatch_event("dragleave", {"dataTransfer": held})
    await expect(main.get_by_text("Upload to #photos")).to_have_count(0)


async def test_pictures_are_dropped_and_pasted_into_one_message(page: Page, workspace: Workspace) -> None:
    box = page.get_by_role("textbox", name="Message #photos")
    await drop(page.get_by_role("main"), picture("mug.webp"), picture("spin.gif"))
    await paste(box, picture("image.png"))
    await drop(page.get_by_role("navigation", name="Workspace"), picture("beside.png"))
    for name in ("mug.webp", "spin.gif", "image.png", "beside.png"):
        await expect(page.get_by_role("button", name=f"Remove {name}")).to_be_visible()
    for name in ("image.png", "beside.png"):
        await page.get_by_role("button", name=f"Remove {name}").click()
        await expect(page.get_by_role("button", name=f"Remove {name}")).to_have_count(0)
    await expect(box).to_have_value("")
    await box.press("Enter")
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_role("button", name="Where to buy").first).to_be_visible()
    assert [file.mimetype for file in workspace.messages[PHOTOS_ID][0].files] == ["image/webp", "image/gif"]


async def test_a_picture_dropped_on_a_thread_is_posted_there(page: Page, workspace: Workspace) -> None:
    await page.get_by_role("button", name="Post a sample photo").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_role("button", name="Where to buy").first).to_be_visible()
    await drop(thread, picture("another.jpeg"))
    await thread.get_by_role("textbox", name="Reply…").press("Enter")
    await expect(thread.get_by_role("img", name="another")).to_be_visible()
    root, *replies = workspace.messages[PHOTOS_ID]
    assert {message.thread_ts for message in replies} == {root.ts}


async def test_the_keyboard_goes_into_a_thread_and_back_out(page: Page) -> None:
    box = page.get_by_role("textbox", name="Message #photos")
    await box.fill("a thought")
    await box.press("Enter")
    message = page.get_by_role("log").locator(".msg", has_text="a thought")
    await message.hover()
    await message.get_by_role("button", name="Reply in thread").click()
    reply = page.get_by_role("textbox", name="Reply…")
    await expect(reply).to_be_focused()
    await page.keyboard.type("and another")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="1 reply")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="1 reply")).to_be_focused()


async def test_files_of_every_kind_are_posted_and_shown(page: Page, workspace: Workspace) -> None:
    notes: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    await page.get_by_label("Files to attach").set_input_files([str(PHOTO), str(HEIC)])
    await page.get_by_label("Files to attach").set_input_files([picture("mug.webp"), picture("spin.gif"), picture("mug.png")])
    await page.get_by_role("textbox", name="Message #photos").fill("what are these?")
    await page.get_by_role("button", name="Send", exact=True).click()
    log = page.get_by_role("log", name="Messages")
    await expect(log.get_by_text("what are these?")).to_be_visible()
    await expect(log.get_by_role("img", name="phone")).to_be_visible()
    await page.wait_for_function("() => [...document.querySelectorAll('.file img')].every(i => i.complete && i.naturalWidth > 0)")
    await page.get_by_role("button", name="Enlarge phone.heic").first.click()
    await expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_label("Files to attach").first.set_input_files(notes)
    await page.get_by_role("textbox", name="Message #photos").press("Enter")
    await expect(log.get_by_role("link", name=re.compile("notes.txt"))).to_be_visible()
    assert [len(message.files) for message in workspace.messages[PHOTOS_ID] if not message.bot_id] == [5, 1]


async def test_slash_commands_are_offered_and_answered_to_the_person_only(page: Page) -> None:
    box = page.get_by_role("textbox", name="Message #photos")
    await box.fill("/ins")
    await expect(page.get_by_role("option", name="/insights")).to_be_visible()
    await box.press("Tab")
    await expect(box).to_have_value("/insights ")
    await box.type("help")
    await box.press("Enter")
    log = page.get_by_role("log", name="Messages")
    await expect(log.get_by_text("Only visible to you")).to_be_visible()
    await expect(log.get_by_text("How to use Image Insights")).to_be_visible()
    await page.get_by_role("button", name="Ask about an address").click()
    await expect(box).to_have_value(re.compile(r"^/insights http://127\.0\.0\.1:\d+/samples/photo-\d+\.jpg$"))


async def test_the_app_is_invited_and_people_change(page: Page, workspace: Workspace) -> None:
    sidebar = page.get_by_role("navigation", name="Workspace")
    await sidebar.get_by_role("button", name="kitchen-refit").click()
    await page.get_by_role("button", name="Invite Image Insights").click()
    await expect(page.get_by_role("button", name="Post a sample photo")).to_be_visible()
    assert workspace.app_is_in(KITCHEN_ID)
    await sidebar.get_by_role("button", name="Act as Ben Okafor").click()
    await expect(sidebar.get_by_text("Ben Okafor")).to_be_visible()
    await page.get_by_role("textbox", name="Message #kitchen-refit").fill("hello *from* <Ben>")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log").get_by_text("hello *from* <Ben>")).to_be_visible()
    assert workspace.messages[KITCHEN_ID][-1].text == "hello *from* &lt;Ben&gt;"


async def test_the_app_has_a_home_and_a_conversation(page: Page) -> None:
    await page.get_by_role("navigation").get_by_role("button", name="Image Insights").click()
    await expect(page.get_by_text("See what a picture shows and where to buy it")).to_be_visible()
    await page.get_by_role("tab", name="Messages").click()
    await page.get_by_role("button", name="Post a sample photo").click()
    await expect(page.get_by_role("log").get_by_role("button", name="Where to buy").first).to_be_visible()


async def test_a_message_can_be_looked_into_and_deleted(page: Page, workspace: Workspace) -> None:
    box = page.get_by_role("textbox", name="Message #photos")
    await box.fill("a thought")
    await box.press("Enter")
    message = page.get_by_role("log").locator(".msg", has_text="a thought")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="View message JSON").click()
    await expect(page.get_by_role("dialog", name="Message JSON")).to_contain_text('"text": "a thought"')
    await page.keyboard.press("Escape")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menuitem")).to_have_count(0)
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Delete message").click()
    await expect(message).to_have_count(0)
    assert workspace.messages[PHOTOS_ID] == []


async def test_the_theme_changes_and_is_remembered(page: Page) -> None:
    await page.get_by_role("button", name="Dark theme").click()
    await page.reload()
    await expect(page.get_by_role("button", name="Light theme")).to_be_visible()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_a_page_that_starts_anew_has_no_dialog(page: Page) -> None:
    await page.get_by_role("button", name="Post a sample photo").click()
    thread = page.get_by_role("complementary", name="Thread")
    await thread.get_by_role("button", name="Where to buy").first.click()
    await expect(page.get_by_role("dialog", name="Where to buy")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("textbox", name="Message #photos")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, workspace: Workspace) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = await context.new_page()
    await page.goto(workspace.base_url)
    await page.get_by_role("button", name="Post a sample photo").click()
    await page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_role("button", name="Where to buy").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await thread.get_by_role("button", name="Back").click()
    await page.get_by_role("button", name="Channels").click()
    await page.get_by_role("button", name="kitchen-refit").click()
    await expect(page.get_by_role("textbox", name="Message #kitchen-refit")).to_be_visible()


async def test_the_page_comes_back_after_a_restart_without_a_reload(browser: Browser) -> None:
    page = await browser.new_page()
    async with canned_bot.page() as first:
        port = int(first.base_url.rpartition(":")[2])
        await page.goto(first.base_url)
        box = page.get_by_role("textbox", name="Message #photos")
        await box.fill("a draft")
    await expect(page.get_by_text("Reconnecting…")).to_be_visible()
    async with canned_bot.page(port) as second:
        await expect(page.get_by_text("Reconnecting…")).to_have_count(0)
        await expect(box).to_have_value("a draft")
        await box.press("Enter")
        await expect(page.get_by_role("log").get_by_text("a draft")).to_be_visible()
        assert [message.text for message in second.messages[PHOTOS_ID]] == ["a draft"]


async def test_a_bot_that_fails_is_told_to_the_person(page: Page, workspace: Workspace) -> None:
    await page.get_by_role("button", name="Post a sample photo").click()
    buy = page.get_by_role("complementary", name="Thread").get_by_role("button", name="Where to buy").first
    await expect(buy).to_be_visible()
    workspace.bot_url = "http://127.0.0.1:9"
    await buy.click()
    await expect(page.get_by_role("alert")).to_contain_text("could not do that")
