"""The Web API methods that the app calls, by name. One file per family; a method gets arguments and answers or raises Refused."""

from bot.demo.methods import chat, conversations, directory, files, reactions, views
from bot.demo.methods.call import Method

METHODS: dict[str, Method] = {
    **directory.METHODS,
    **chat.METHODS,
    **views.METHODS,
    **files.METHODS,
    **reactions.METHODS,
    **conversations.METHODS,
}
