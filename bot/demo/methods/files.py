"""files.*: what was uploaded, and the app's own uploads in three steps (slack-platform.md §2)."""

from bot.demo import uploads, wire
from bot.demo.methods.call import Arguments, Method, Refused, invalid_arguments, room_of
from bot.demo.objects import BOT_ID, BOT_USER_ID, Channel, File, Json, Message
from bot.demo.workspace import Workspace

WITHOUT_ADDRESS = ("url_private", "url_private_download", "permalink", "original_w", "original_h", "mimetype", "filetype")


async def info(workspace: Workspace, arguments: Arguments) -> Json:
    file = workspace.files.get(arguments.required("file"))
    if file is None or not visible(workspace, file):
        raise Refused("file_not_found")
    if file.deleted:
        raise Refused("file_deleted")
    shown = with_shares(workspace, file)
    if workspace.faults.used("unready"):
        shown = {name: value for name, value in shown.items() if name not in WITHOUT_ADDRESS and not name.startswith("thumb_")}
    return {"file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}


def visible(workspace: Workspace, file: File) -> bool:
    """Whether the app may see a file: its own, or shared where it is a member."""
    return file.user == BOT_USER_ID or any(workspace.app_is_in(channel) for channel in file.shares)


def with_shares(workspace: Workspace, file: File) -> Json:
    kinds = {channel: workspace.channels[channel].kind for channel in file.shares}
    public = {c: shares for c, shares in file.shares.items() if kinds[c] == "channel"}
    private = {c: shares for c, shares in file.shares.items() if kinds[c] != "channel"}
    return wire.file_json(workspace, file) | {
        "is_public": bool(public),
        "shares": ({"public": public} if public else {}) | ({"private": private} if private else {}),
        "channels": list(public),
        "groups": [c for c in private if kinds[c] == "group"],
        "ims": [c for c in private if kinds[c] == "im"],
    }


async def get_upload_url(workspace: Workspace, arguments: Arguments) -> Json:
    length = arguments.number("length", 0)
    name = arguments.required("filename")
    if length <= 0:
        raise invalid_arguments("must be greater than 0 [json-pointer:/length]")
    file = await uploads.keep(workspace, BOT_USER_ID, name, b"", alt_text=arguments.text("alt_txt"))
    workspace.pending_uploads[file.id] = workspace.files.pop(file.id)
    return {"upload_url": f"{workspace.base_url}/files/upload/{file.id}/{length}", "file_id": file.id}


async def receive(workspace: Workspace, file_id: str, data: bytes) -> bool:
    """The bytes that were sent to an upload address; False when nobody asked for it."""
    waiting = workspace.pending_uploads.get(file_id)
    if waiting is None:
        return False
    kept = await uploads.keep(workspace, BOT_USER_ID, waiting.name, data, alt_text=waiting.alt_text)
    del workspace.files[kept.id]
    kept.id = file_id
    workspace.pending_uploads[file_id] = kept
    return True


async def complete_upload(workspace: Workspace, arguments: Arguments) -> Json:
    entries = arguments.json("files", "invalid_arguments")
    if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) and e.get("id") for e in entries):
        raise invalid_arguments("must be a list of objects with an id [json-pointer:/files]")
    waiting = [workspace.pending_uploads.get(str(entry["id"])) for entry in entries]
    files = [file for file in waiting if file and file.data]
    if len(files) != len(entries):
        raise Refused("file_not_found")
    names = [c for c in (arguments.text("channels") or arguments.text("channel_id")).split(",") if c]
    rooms = [_member(workspace, name) for name in names]
    for entry, file in zip(entries, files, strict=True):
        file.title = str(entry.get("title") or file.name)
        workspace.files[file.id] = workspace.pending_uploads.pop(file.id)
    for room in rooms:
        text = arguments.text("initial_comment")
        workspace.post(
            Message(room.id, BOT_USER_ID, text, bot_id=BOT_ID, files=list(files), thread_ts=arguments.text("thread_ts"))
        )
    return {"files": [with_shares(workspace, file) for file in files]}


def _member(workspace: Workspace, channel: str) -> Channel:
    return room_of(workspace, Arguments({"channel": channel}))


METHODS = {
    "files.info": Method(info, "files:read", reads=True),
    "files.getUploadURLExternal": Method(get_upload_url, "files:write", reads=True),
    "files.completeUploadExternal": Method(complete_upload, "files:write"),
}
