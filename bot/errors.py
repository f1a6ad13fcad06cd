"""The tree of errors. A UserError is a text for a person; anything else is ours to log.

Error:
├── UserError            its text is shown: in Slack, as ErrorResponse, or as one line on stderr
│   ├── NotAPicture      the bytes cannot be read as a picture
│   ├── TooLarge         more bytes or pixels than we read
│   │   └── TooManyPixels    more pixels, to be exact
│   ├── CannotFetch      the address cannot or may not be opened
│   ├── UnknownToken     no picture has this insights token
│   ├── MissingScope     Slack has not allowed us something
│   ├── InvalidValue     a parameter's value is not valid
│   └── ConfigurationError  a setting has to change; its text names it
└── Unavailable          a service we need is down, slow or answers nonsense: try again later
    └── RateLimited      it told us when (retry_after, seconds)

"""

from bot.language import marked


class Error(Exception):
    """Everything this project raises on purpose."""


class UserError(Error):
    """Its text is for a person and says what to do.

    text: in English, `values` fill its `{names}`, so that it can be said in another language.
    """

    def __init__(self, text: str = "", /, **values: str) -> None:
        super().__init__(text.format(**values) if values else text)
        self.text = text
        self.values = values


class NotAPicture(UserError):
    def __init__(
        self,
        text: str = marked("That file isn't a picture I can read (JPEG, PNG, GIF, WebP or HEIC up to 50 megapixels)."),
        /,
        **values: str,
    ) -> None:
        super().__init__(text, **values)


class TooLarge(UserError):
    pass


class TooManyPixels(TooLarge):
    pass


class CannotFetch(UserError):
    def __init__(self, text: str = marked("I can't open that address. Post the picture here instead."), /, **values: str) -> None:
        super().__init__(text, **values)


class UnknownToken(UserError):
    def __init__(self, text: str = marked("No picture has this insights token.")) -> None:
        super().__init__(text)


class MissingScope(UserError):
    """`install` is where an admin allows it."""

    def __init__(self, needed: str, install: str) -> None:
        text = marked("I lack a permission for that ({needed}). A workspace admin can give it to me at {install}")
        super().__init__(text, needed=needed, install=install)


class InvalidValue(UserError):
    """`parameter` is the wire's name, `value` what came."""

    def __init__(self, parameter: str, value: str, text: str) -> None:
        super().__init__(text)
        self.parameter = parameter
        self.value = value


class ConfigurationError(UserError):
    pass


class Unavailable(Error):
    pass


class RateLimited(Unavailable):
    def __init__(self, text: str, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after
