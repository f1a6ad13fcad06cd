"""A second notice of an upload, without thread or text: ignored on purpose, its message says it all (slack-platform.md §0.1).

Our manifest does not subscribe to it; where an operator's app does, it is answered quietly.
"""

from slack_bolt.app.async_app import AsyncApp

EVENT = "file_shared"


async def noticed() -> None:
    """Nothing to do."""


def listen(app: AsyncApp) -> None:
    app.event(EVENT)(noticed)
