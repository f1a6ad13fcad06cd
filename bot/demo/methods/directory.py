"""Who and what is here: auth.test, users.*, team.info, bots.info, and the address of the app's socket."""

from bot.demo import wire
from bot.demo.methods.call import Arguments, Method, Refused, page_of
from bot.demo.objects import APP_ID, APP_NAME, BOT_ID, BOT_USER_ID, TEAM_DOMAIN, TEAM_ID, TEAM_NAME, Json
from bot.demo.workspace import Workspace


async def api_test(_workspace: Workspace, arguments: Arguments) -> Json:
    if arguments.text("error"):
        raise Refused(arguments.text("error"))
    return {"args": {name: str(value) for name, value in arguments.values.items()}}


async def auth_test(workspace: Workspace, _arguments: Arguments) -> Json:
    return {
        "url": f"{workspace.base_url}/", "team": TEAM_NAME, "user": workspace.people[BOT_USER_ID].name, "team_id": TEAM_ID,
        "user_id": BOT_USER_ID, "bot_id": BOT_ID, "is_enterprise_install": False,
    }  # fmt: skip


async def user_info(workspace: Workspace, arguments: Arguments) -> Json:
    person = workspace.people.get(arguments.required("user"))
    if person is None:
        raise Refused("user_not_found")
    return {"user": wire.user_json(person, locale=arguments.flag("include_locale"))}


async def user_list(workspace: Workspace, arguments: Arguments) -> Json:
    page, following = page_of(list(workspace.people.values()), arguments)
    locale = arguments.flag("include_locale")
    return {"members": [wire.user_json(p, locale=locale) for p in page], "response_metadata": {"next_cursor": following}}


async def team_info(_workspace: Workspace, _arguments: Arguments) -> Json:
    return {
        "team": {"id": TEAM_ID, "name": TEAM_NAME, "domain": TEAM_DOMAIN, "email_domain": "", "icon": {"image_default": True}}
    }


async def bot_info(_workspace: Workspace, arguments: Arguments) -> Json:
    if arguments.text("bot") not in {"", BOT_ID}:
        raise Refused("bot_not_found")
    profile = wire.bot_profile()
    return {
        "bot": {
            "id": BOT_ID,
            "deleted": False,
            "name": APP_NAME,
            "app_id": APP_ID,
            "user_id": BOT_USER_ID,
            "icons": profile["icons"],
        }
    }


async def open_connection(workspace: Workspace, _arguments: Arguments) -> Json:
    return {"url": workspace.delivery.sockets.new_address()}


METHODS = {
    "api.test": Method(api_test, token=""),
    "auth.test": Method(auth_test),
    "users.info": Method(user_info, "users:read", reads=True),
    "users.list": Method(user_list, "users:read", reads=True),
    "team.info": Method(team_info, "team:read", reads=True),
    "bots.info": Method(bot_info, "users:read", reads=True),
    "apps.connections.open": Method(open_connection, token="app"),  # noqa: S106 (a kind, no secret)
}
