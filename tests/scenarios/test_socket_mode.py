"""The same bot over a websocket of its own instead of HTTP."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.worlds import APP_TOKEN, Engine, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_over_socket_mode_a_photo_gets_its_card_and_a_click_its_modal(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, slack_app_token=SecretStr(APP_TOKEN)) as world:
        people, photos = world.people, world.people.channel("photos")
        people.bot_url = ""  # nothing to be reached by HTTP
        await people.until(lambda: people.workspace.delivery.sockets.open, what="a socket")
        post = await photos.upload("vase.jpg", photo("photo-02.jpg"))
        card = await photos.next_reply(to=post)
        assert "similar product" in card.text
        await people.click(card, "Where to buy", by="ben")
        view = await people.next_view("ben", until=lambda v: "Visit store" in str(v.blocks))
        await people.submit(view, by="ben")
        await photos.next_reply(to=post)
        ack = await people.command("/insights", "help")
        assert "How to use" in ack.text
        await world.finished()
        assert people.problems == []
