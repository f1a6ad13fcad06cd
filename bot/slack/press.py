"""A click at work: open a modal at once, ask, fill it; or say the same ephemerally when Slack's three seconds are over."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.errors import Unavailable, UserError
from bot.insights.model import WHOLE, ImageObject, Insights
from bot.jobs import Click, ImageRef, Lookup, ReplyTo
from bot.language import marked, tr
from bot.queue import Job
from bot.results import Result
from bot.slack import adding, events, peeking, regions, saving, settings, values
from bot.slack.blocks import Block, Payload, alert, section
from bot.slack.buttons import card_menu, rate, undo_channel, use_image, where_to_buy
from bot.slack.cards import notices, opinions, pages, products, sharing, shopping_sources, similar_images, similar_products
from bot.slack.cards import regions as region_card
from bot.slack.cards import settings as settings_card
from bot.slack.cards.context import Sort, ViewState
from bot.slack.cards.notices import Kind
from bot.slack.cards.views import modal, state_of
from bot.slack.desk import Desk
from bot.slack.replies import NOT_THERE, CannotPost, Style
from bot.slack.values import Value

IN_MESSAGES = (where_to_buy.ACTION_ID, use_image.ACTION_ID, "insights.link.")
"""Buttons that say all by their value; the others need the modal they stand in."""
PERSON = re.compile(r"<@(\w+)>")

SAMPLE, NO_SAMPLE = "cup", marked("The catalogue has nothing to show yet. Post a photo of your own.")
NOT_NOW = marked("The image service isn’t answering. Nothing was lost: try again in a minute.")
GONE = marked("These results are older than 30 days. Post the picture again.")
"""Where there is nothing left to look at again."""

ListView = Callable[..., Payload]


@dataclass(frozen=True, slots=True)
class Press:
    """One click, by one person; what a button's `clicked` works with. A re-run after a crash finds what it did before."""

    job: Job
    desk: Desk
    click: Click

    # --- where to buy

    async def open_offers(self) -> None:
        """The modal opens before anybody is asked (cards.md §13.6)."""
        behind = await self._behind()
        product = behind[0].product(behind[1].number("p")) if behind else None
        if behind is None or product is None:
            return await self._expired()
        result, number = behind[0], behind[1].number("p") or 0
        view_id = await self._open(shopping_sources.loading(self.desk.context(result), product, number))

        async def filled() -> None:
            await self._show(view_id, await self._offers(result, product, ViewState(result.rid, product=number)))

        return await self.job.step("fill", filled)

    async def sort_offers(self) -> None:
        chosen = self.click.value
        await self._refresh(lambda state: replace(state, sort=Sort(chosen)) if chosen in set(Sort) else state)

    async def more_offers(self) -> None:
        value = values.parse(self.click.value)
        shown = (value.number("o") if value else None) or 0
        await self._refresh(lambda state: replace(state, until=shown + shopping_sources.PAGE))

    async def retry_offers(self) -> None:
        await self._refresh(lambda state: state)

    async def _refresh(self, change: Callable[[ViewState], ViewState]) -> None:
        """Show the modal's offers as they are now, in the way that `change` makes of its state."""
        state = ViewState.read(self.click.view_metadata)
        result = await self._result(state)
        product = result.product(state.product) if result and state else None
        if state is None or result is None or product is None:
            return await self._expired()

        async def filled() -> None:
            await self._show(self.click.view_id, await self._offers(result, product, change(state)))

        return await self.job.step("fill", filled)

    async def sharing(self) -> Payload:
        """How to answer Slack: the modal shows this while its offers are being posted."""
        state = ViewState.read(self.click.view_metadata)
        result = await self._result(state)
        product = result.product(state.product) if result and state else None
        if state is None or result is None or product is None:
            view = _expired_view()
        else:
            view = shopping_sources.loading(self.desk.context(result), product, state.product)
        return {"response_action": "update", "view": view}

    async def share_offers(self) -> None:
        """Post the offers in the thread of the card, once, and say so in the modal."""
        state = ViewState.read(self.click.view_metadata)
        result = await self._result(state)
        product = result.product(state.product) if result and state else None
        if state is None or result is None or product is None:
            return  # sharing() has said it
        await self.job.step("share", lambda: self._share(state, result, product))

    async def _share(self, state: ViewState, result: Result, product: ImageObject) -> None:
        ctx, by = self.desk.context(result), self.click.reply_to.user
        try:
            offers = await self.desk.offers(product, result.market)
        except (Unavailable, UserError):
            return await self.desk.replies.update_view(self.click.view_id, shopping_sources.failed(ctx, product, state.product))
        view = shopping_sources.view(ctx, product, state.product, offers, sort=state.sort, shared=bool(offers))
        if offers:
            to = ReplyTo(result.team, result.channel, result.thread_ts, by)
            try:
                await self.desk.replies.post_once(
                    f"{self.job.key}:share",
                    to,
                    lambda style: shopping_sources.share(ctx, product, offers, by=by, table=style == "carousel"),
                    language=await self.desk.spoken_in(to.team, to.channel),
                )
            except CannotPost as error:
                access = Kind.ACCESS.value
                not_in = f"*{tr(access.happened)}*\n{tr(access.to_do)}"
                why = not_in if error.code in NOT_THERE else tr("I can’t post in that channel.")
                view = shopping_sources.view(ctx, product, state.product, offers, sort=state.sort)
                view["blocks"].insert(0, alert(why, "error"))
        return await self.desk.replies.update_view(self.click.view_id, view)

    async def _offers(self, result: Result, product: ImageObject, state: ViewState) -> Payload:
        """The offers as they are now, or that nobody can tell."""
        ctx = self.desk.context(result)
        try:
            offers = await self.desk.offers(product, result.market)
        except Unavailable:
            return shopping_sources.failed(ctx, product, state.product)
        except UserError:  # the product has left the catalogue
            offers = ()
        until = state.until or shopping_sources.PAGE
        return shopping_sources.view(ctx, product, state.product, offers, sort=state.sort, start=state.start, until=until)

    # --- lists

    async def open_products(self) -> None:
        await self._open_list(similar_products.view)

    async def more_products(self) -> None:
        await self._more(similar_products.view, similar_products.PAGE)

    async def open_images(self) -> None:
        await self._open_list(similar_images.view)

    async def more_images(self) -> None:
        await self._more(similar_images.view, similar_images.PAGE)

    async def _open_list(self, draw: ListView) -> None:
        behind = await self._behind()
        if behind is None or behind[0].found is None:
            return await self._expired()
        view = draw(self.desk.context(behind[0]), behind[0].found)
        if not await self._open(view):
            await self.job.step("say", lambda: self._show("", view))
        return None

    async def _more(self, draw: Callable[..., Payload], page: int) -> None:
        behind, state = await self._behind(), ViewState.read(self.click.view_metadata)
        found: Insights | None = behind[0].found if behind else None
        if behind is None or found is None or state is None:
            return await self._expired()
        until = (behind[1].number("o") or 0) + page
        view = draw(self.desk.context(behind[0]), found, start=state.start, until=until)
        return await self.job.step("fill", lambda: self._show(self.click.view_id, view))

    # --- the menu of a card

    async def open_menu(self) -> None:
        behind = await self._behind()
        result = behind[0] if behind else None
        if behind is None or result is None or result.found is None:
            return await self._expired()
        ctx = self.desk.context(result)
        match behind[1].arg:
            case card_menu.PAGES:
                await self._open(pages.view(ctx, result.found))
            case card_menu.SETTINGS:
                await self.open_settings("" if result.channel.startswith("D") else result.channel)
            case card_menu.REMOVE:
                await self.remove_card()
            case card_menu.SHARE:
                await self._open(sharing.view(ctx))
            case card_menu.RELATED:
                view_id, found = await self._open(pages.searching(ctx)), result.found

                async def filled() -> None:
                    await self._show(view_id, await self._related(result, found))

                await self.job.step("fill", filled)
        return None

    async def _related(self, result: Result, found: Insights) -> Payload:
        ctx = self.desk.context(result)
        try:
            return pages.related(ctx, await self.desk.related(found, result.market))
        except Unavailable:
            return modal("related", tr("Related searches"), [alert(tr(NOT_NOW), "error")], state_of(ctx))

    async def more_pages(self) -> None:
        await self._more(pages.view, pages.PAGE)

    async def search_related(self) -> None:
        """Run one of the related searches, and say where its card comes."""
        behind = await self._behind()
        number = behind[1].number("s") if behind else None
        if behind is None or number is None or behind[0].found is None:
            return await self._expired()
        result = behind[0]
        queries = await self.desk.related(behind[0].found, result.market)
        if number >= len(queries):
            return await self._expired()
        await self._look(result, ImageRef(words=queries[number].text))
        view = pages.related(self.desk.context(result), queries)
        where = tr("The results come in the thread.") if result.thread_ts else tr("The results come in the conversation.")
        return await self.job.step("say", lambda: self._said(view, where))

    async def sharing_card(self) -> Payload:
        result = await self._result(ViewState.read(self.click.view_metadata))
        view = sharing.sharing(self.desk.context(result)) if result else _expired_view()
        return {"response_action": "update", "view": view}

    async def share_card(self) -> None:
        """Post the short card in the channel that was chosen, as a result of its own: its buttons work there."""
        result, to = await self._result(ViewState.read(self.click.view_metadata)), self.click.entered.get("to", "")
        if result is None or result.found is None or not to:
            return  # sharing_card() has said it
        await self.job.step("share", lambda: self._share_card(result, to))

    async def _share_card(self, result: Result, channel: str) -> None:
        ctx, replies, by = self.desk.context(result), self.desk.replies, self.click.reply_to.user
        copy = replace(result, rid=values.new_rid(), channel=channel, thread_ts="", message_ts="", requester=by, owner="")
        copy = await self.desk.results.keep(self.job.key, copy)
        found, link = copy.found, await replies.permalink(result.channel, result.message_ts or result.thread_ts)
        to = ReplyTo(result.team, channel, "", by, self.click.reply_to.response_url)
        if found is None:
            return

        def draw(style: Style) -> Payload:
            note = self.click.entered.get("note", "")
            return sharing.message(found, self.desk.context(copy, style), by=by, note=note, link=link)

        view, language = sharing.shared(ctx, channel), await self.desk.spoken_in(result.team, channel)
        try:
            await replies.post_once(f"{self.job.key}:share", to, draw, language=language)
        except CannotPost as error:
            if error.code not in NOT_THERE or not to.response_url:
                view = sharing.refused(ctx, tr("I can’t post in that channel. Invite me there first."))
            else:
                await replies.publish(to, draw, language=language)
        await replies.update_view(self.click.view_id, view)

    # --- opinions

    async def rate(self) -> None:
        """Remember what somebody thinks; after a "no" ask why."""
        behind = await self._behind()
        if behind is None or behind[0].found is None:
            return await self._expired()
        result, found, to = behind[0], behind[0].found, self.click.reply_to
        helpful = behind[1].arg == rate.UP
        await self.job.step("note", lambda: self.desk.opinions.note(to.team, result.rid, to.user, found.token, helpful=helpful))
        if not helpful:
            await self._open(opinions.view(self.desk.context(result), found))
        return None

    def heard(self) -> Payload:
        return {"response_action": "clear"}

    async def say_why(self) -> None:
        result = await self._result(ViewState.read(self.click.view_metadata))
        if result is None or result.found is None:
            return
        said, to, found = self.click.entered, self.click.reply_to, result.found
        named = {f"p{number}": product.token for number, product in products.named(found)[: products.SHOWN]}
        wrong = [named[one] for one in said.get("which", "").split(",") if one in named]
        if not wrong and said.get("why") in {"item", "products"}:
            wrong = list(named.values())[:1]
        reason, words = said.get("why", ""), said.get("more", "")[: opinions.WORDS]
        await self.job.step(
            "note",
            lambda: self.desk.opinions.note(
                to.team, result.rid, to.user, found.token, helpful=False, reason=reason, words=words, products=wrong
            ),
        )

    async def remove_card(self) -> None:
        """Delete the card for everyone: whoever asked, whoever posted the picture, and admins may."""
        behind, to = await self._behind(old=True), self.click.reply_to
        if behind is None:
            return await self._expired()
        result = behind[0]
        if to.user not in {result.requester, result.owner} and not (await self.desk.people.get(to.team, to.user)).admin:
            return await self.job.step(
                "refuse", lambda: self.desk.replies.tell(to, lambda _: notices.only_for(result.owner or result.requester))
            )
        return await self.job.step("remove", lambda: self.desk.replies.delete(to.channel, self.click.message_ts))

    # --- saving

    async def open_save(self) -> None:
        behind = await self._behind()
        view = await saving.view(self.desk, self.click, behind[0], behind[1].number("p") or 0) if behind else None
        if view is None:
            return await self._expired()
        await self._open(view)
        return None

    async def checked_save(self) -> Payload:
        result = await self._result(ViewState.read(self.click.view_metadata))
        answer = await saving.checked(self.desk, self.click, result)
        return answer or {"response_action": "update", "view": _expired_view()}

    async def save(self) -> None:
        result = await self._result(ViewState.read(self.click.view_metadata))
        await saving.save(self.job, self.desk, self.click, result)

    async def unsave(self) -> None:
        await saving.unsave(self.job, self.desk, self.click)

    async def stop_watching(self) -> None:
        await saving.stop(self.job, self.desk, self.click)

    # --- one item of a photo

    async def open_regions(self) -> None:
        behind = await self._behind()
        if behind is None:
            return await self._expired()
        view_id = await self._open(region_card.loading(self.desk.context(behind[0])))
        if view_id:
            await regions.opened(self.job, self.desk, behind[0], view_id)
        return None

    async def pick_region(self) -> None:
        if view := regions.picked(self.click):
            await self.job.step("show", lambda: self.desk.replies.update_view(self.click.view_id, view))

    async def checked_region(self) -> Payload:
        try:
            regions.part_of(self.click)
        except ValueError:
            return {"response_action": "errors", "errors": {"edges": tr(region_card.BAD_EDGES)}}
        return {"response_action": "clear"}

    async def look_at_region(self) -> None:
        """The part as a picture of its own: its card comes beside the first one."""
        result, part = await self._result(ViewState.read(self.click.view_metadata)), regions.part_of(self.click)
        if result is None or part is None:
            return
        box, item = part
        crop = (box.left, box.top, box.right, box.bottom)
        await self._look(
            result, replace(result.image, crop=None if box == WHOLE else crop, item=item, number=0, total=0, album=())
        )

    # --- settings

    async def open_settings(self, channel: str = "") -> None:
        click, on_top = self.click, bool(self.click.view_id)
        await settings.open_form(self.job, self.desk, click.reply_to, channel, click.trigger_id, on_top=on_top)

    def saving_settings(self) -> Payload:
        state = ViewState.read(self.click.view_metadata)
        return {"response_action": "update", "view": settings_card.saving(state.channel if state else "")}

    async def save_settings(self) -> None:
        await settings.save(self.job, self.desk, self.click)

    # --- shortcuts

    async def post_result(self) -> None:
        await peeking.post(self.job, self.desk, self.click)

    def checked_question(self) -> Payload:
        return peeking.checked(self.click)

    async def answer_question(self) -> None:
        await peeking.asked(self.job, self.desk, self.click)

    # --- lookups

    async def look_again(self) -> None:
        """The same picture once more, for whoever pressed."""
        behind = await self._behind(old=True)
        if behind is None:
            return await self._expired()
        return await self._look(behind[0], behind[0].image)

    async def pick_photo(self) -> None:
        """Another photo of the same message: its card takes the place of the one that is shown."""
        behind = await self._behind()
        number = behind[1].number("f") if behind else None
        if behind is None or not number or number > len(behind[0].image.album):
            return await self._expired()
        result, to = behind[0], self.click.reply_to
        if number != result.image.number:
            there = ReplyTo(result.team, result.channel, result.thread_ts, to.user)
            order = Lookup(result.image.of_album(number), there, asked=True, instead=result.rid)
            await self.desk.start(order, f"photo:{events.click_key(self.click)}")
        return None

    async def look_at_similar(self) -> None:
        """One of the similar images, by its number."""
        behind = await self._behind()
        number = behind[1].number("i") if behind else None
        images = behind[0].found.similar_images if behind and behind[0].found else ()
        if behind is None or number is None or number >= len(images):
            return await self._expired()
        result, state = behind[0], ViewState.read(self.click.view_metadata)
        await self._look(result, ImageRef(token=images[number].token))
        if self.click.view_id and state and result.found:
            view = similar_images.view(self.desk.context(result), result.found, start=state.start, until=state.until)
            there, here = (
                tr("The card of that image comes in the thread."),
                tr("The card of that image comes in the conversation."),
            )
            where = there if result.thread_ts else here
            await self.job.step("say", lambda: self._said(view, where))
        return None

    async def _said(self, view: Payload, where: str) -> None:
        """Tell in the modal where what was asked for will be."""
        view["blocks"].insert(0, alert(where, "success"))
        await self.desk.replies.update_view(self.click.view_id, view)

    async def _look(self, result: Result, image: ImageRef) -> None:
        to = ReplyTo(result.team, result.channel, result.thread_ts, self.click.reply_to.user, self.click.reply_to.response_url)
        # a command hangs its card on a message of its own, and there is none yet
        command = not result.thread_ts and not result.channel.startswith("D")
        await self.desk.start(
            Lookup(image, to, owner=result.owner, asked=True, command=command), f"again:{events.click_key(self.click)}"
        )

    # --- adding to the catalogue

    async def open_addition(self) -> None:
        await adding.opened(self.job, self.desk, self.click)

    async def checked_addition(self) -> Payload:
        return await adding.checked(self.desk, self.click)

    async def add(self) -> None:
        await adding.add(self.job, self.desk, self.click)

    async def remove_addition(self) -> None:
        await adding.removed(self.job, self.desk, self.click)

    async def try_sample(self) -> None:
        """Any picture of the catalogue will do; its card comes in the direct message of whoever pressed."""
        to = self.click.reply_to
        found = await self.desk.insights.search(SAMPLE, count=1, market=self.desk.market)
        if not found.page.value:
            return await self.job.step("none", lambda: self.desk.replies.tell(to, lambda _: notices.say(tr(NO_SAMPLE))))
        image = ImageRef(token=found.page.value[0].token)
        order = Lookup(image, ReplyTo(to.team, to.user, "", to.user), owner=to.user, asked=True)
        await self.desk.start(order, f"sample:{events.click_key(self.click)}")
        return None

    # --- the rest

    async def help(self) -> None:
        await self.job.step("help", lambda: self.desk.replies.tell(self.click.reply_to, lambda _: notices.help_text()))

    async def undo_channel(self) -> None:
        """Take back what the notice says, whatever the channel is by now, and say who did."""
        value, by = values.parse(self.click.value), PERSON.search(self.click.said)
        to = self.click.reply_to
        if value is None or by is None or value.arg != to.channel or value.rid not in {undo_channel.ON, undo_channel.OFF}:
            return
        was_on = value.rid == undo_channel.ON
        await self.desk.results.switch(to.team, to.channel, on=not was_on)

        async def said() -> None:
            language = await self.desk.spoken_in(to.team, to.channel)
            notice = lambda _: notices.undone(by[1], to.user, on=was_on)  # noqa: E731
            await self.desk.replies.update(to, self.click.message_ts, notice, language=language)

        await self.job.step("undone", said)

    # --- how

    async def _behind(self, *, old: bool = False) -> tuple[Result, Value] | None:
        """The result and the meaning of the click, if both are ours and belong where it was made (threats.md C2)."""
        value = values.parse(self.click.value)
        result = await self.desk.result(value.rid, self.click.reply_to.team, old=old) if value else None
        if value is None or result is None or self.click.reply_to.channel not in {"", result.channel}:
            return None
        return result, value

    async def _result(self, state: ViewState | None) -> Result | None:
        """The result that a modal belongs to."""
        return await self.desk.result(state.rid, self.click.reply_to.team) if state else None

    async def _open(self, view: Payload) -> str:
        """Open a modal, on top of the one it was asked for in; "" when it is too late for that."""
        on_top = bool(self.click.view_id)
        return await self.job.step("open", lambda: self.desk.replies.open_view(self.click.trigger_id, view, on_top=on_top))

    async def _show(self, view_id: str, view: Payload) -> None:
        if view_id:
            await self.desk.replies.update_view(view_id, view)
        else:
            await self.desk.replies.tell(self.click.reply_to, lambda _: _as_message(view))

    async def _expired(self) -> None:
        """What this button meant is not there any more. A modal says it itself: it has no message to answer under."""
        if self.click.view_id:
            await self.job.step("expired", lambda: self.desk.replies.update_view(self.click.view_id, _expired_view()))
        else:
            behind, tell = await self._behind(old=True), self.desk.replies.tell
            notice = notices.problem(Kind.EXPIRED, behind[0].rid) if behind else notices.say(tr(GONE))
            await self.job.step("expired", lambda: tell(self.click.reply_to, lambda _: notice))


def _as_message(view: Payload) -> Payload:
    """A modal's content for an ephemeral message: no alerts, and only buttons that work outside a modal."""
    blocks = [block for block in view["blocks"] if block["type"] != "alert" and _works_in_messages(block)]
    return {"text": view["title"]["text"], "blocks": blocks}


def _works_in_messages(block: Block) -> bool:
    return block["type"] != "actions" or all(element["action_id"].startswith(IN_MESSAGES) for element in block["elements"])


def _expired_view() -> Payload:
    return modal("expired", tr("Image insights"), [section(tr(GONE))], ViewState("none"))
