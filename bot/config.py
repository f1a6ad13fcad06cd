"""Settings: every environment variable the project reads, typed and described, read once and handed down."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import ConfigurationError

Commas = Annotated[tuple[str, ...], NoDecode]
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(BaseSettings):
    """Every environment variable. Each has a default with which every command starts; README.md lists them."""

    model_config = SettingsConfigDict(frozen=True, env_file=".env", extra="ignore", env_ignore_empty=True)

    database_url: SecretStr = Field(
        SecretStr(""), description="`postgres://…` or `sqlite:///…`; empty means a SQLite file in `DATA_DIR`"
    )
    data_dir: Path = Field(Path("data"), description="database, pictures of the catalogue, index")
    host: str = Field("", description="address to listen on; empty means 127.0.0.1, or every address when `PORT` is set")
    port: int = Field(
        3000, ge=0, le=65535, description="port to listen on; set alone, as Procfile hosts do, it binds all addresses"
    )
    blob_url: str = Field("", description="object storage for the catalogue's pictures, s3://bucket/folder; empty: `DATA_DIR`")
    public_url: str = Field("", description="where Slack can reach us: thumbnails in cards")
    slack_bot_token: SecretStr = Field(SecretStr(""), description="Bot User OAuth Token, starts with xoxb-")
    slack_signing_secret: SecretStr = Field(
        SecretStr(""), description="proves that a request comes from Slack; two with a comma while it is being changed"
    )
    slack_app_token: SecretStr = Field(SecretStr(""), description="starts with xapp-; set it to use Socket Mode")
    slack_client_id: str = Field("", description="with `SLACK_CLIENT_SECRET`: many workspaces, each installs at `/slack/install`")
    slack_client_secret: SecretStr = Field(SecretStr(""), description="on the app's page under Basic Information")
    slack_scopes: Commas = Field((), description="comma list of bot scopes to ask for; empty means the manifest's")
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="comma list, newest first: seals workspaces' tokens; empty: a key file in `DATA_DIR`, not with Postgres",
    )
    unfurl_domains: Commas = Field(
        (), max_length=5, description="comma list of your shops' hosts whose links show product and price"
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Slack's Web API; one client built from it does everything")
    insights_url: str = Field("", description="ask this service of the Bing wire; empty means the engine in this process")
    insights_key: SecretStr = Field(SecretStr(""), description="our subscription key for `INSIGHTS_URL`")
    insights_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="comma list of keys our own API accepts; without it the API answers on loopback only"
    )
    insights_rate_per_key: float = Field(20, ge=0, description="requests a second for each key of our API; 0 is no limit")
    insights_fetch_allow: Commas = Field(
        (), description="comma list of hosts or CIDRs that may be fetched although they are not public"
    )
    live_sources: Annotated[tuple[Literal["bing", "vision", "lens"], ...], NoDecode] = Field(
        (), description="comma list of services to ask when the catalogue has nothing: `bing`, `vision`, `lens`; in this order"
    )
    google_vision_key: SecretStr = Field(SecretStr(""), description="for `vision`: an API key of Google Cloud Vision")
    serpapi_key: SecretStr = Field(SecretStr(""), description="for `lens`: an API key of SerpApi, which asks Google Lens")
    lookups_per_team: int = Field(60, ge=0, description="lookups a minute of one workspace; more wait their turn; 0 is no limit")
    lookups_per_person: int = Field(10, ge=0, description="lookups a minute of one person; more wait their turn; 0 is no limit")
    live_lookups_per_day: int = Field(100, ge=0, description="how often each live source may be asked a day (UTC)")
    insights_model: Path | None = Field(None, description="another ONNX image encoder; empty means the packaged one")
    default_market: str = Field(
        "en-US", pattern=r"^[a-z]{2}-[A-Z]{2}$", description="market of offers, currency and number format"
    )
    card_style: Literal["auto", "carousel", "classic"] = Field(
        "auto", description="how products are shown; auto falls back by itself"
    )
    otel_exporter_otlp_endpoint: str = Field("", description="traces go to this collector of OpenTelemetry (OTLP over HTTP)")
    sentry_dsn: SecretStr = Field(SecretStr(""), description="errors are reported to this project of Sentry")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="how much is logged")
    log_format: Literal["", "text", "json"] = Field("", description="empty means text on a terminal, json elsewhere")

    @field_validator(
        "insights_keys", "insights_fetch_allow", "slack_scopes", "secret_keys", "unfurl_domains", "live_sources", mode="before"
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("insights_fetch_allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            if "/" in part:
                ip_network(part)  # ValueError names the bad one
        return value

    @field_validator("slack_api_url", "public_url", "insights_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
            raise ValueError("must start with http:// or https:// and name a host")
        return value

    @property
    def listen_host(self) -> str:
        """The address to bind: HOST, else all when PORT alone is set (as Procfile hosts do), else loopback."""
        return self.host or ("0.0.0.0" if "port" in self.model_fields_set else "127.0.0.1")  # noqa: S104 (asked for by PORT)

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """One, or two while it is being changed (threats.md S6); the first signs what we replay."""
        return tuple(part.strip() for part in self.slack_signing_secret.get_secret_value().split(",") if part.strip())

    @property
    def database(self) -> Path | str:
        """The bot's database: a SQLite file, or the address of a Postgres.

        Raises ConfigurationError when DATABASE_URL is neither.
        """
        address = self.database_url.get_secret_value()
        if not address:
            return self.data_dir / "bot.db"
        scheme, _, path = address.partition(":///")
        if scheme.startswith("sqlite") and path:
            return Path(path)
        from bot import postgres  # noqa: PLC0415 (half a second, for those who have one)

        return postgres.address(address)

    @property
    def jobs(self) -> Path | str:
        """Where the job queue is: a file of its own beside the database's, or in the same Postgres. Raises as database does."""
        return self.database.with_name("jobs.db") if isinstance(self.database, Path) else self.database


def read_settings(**overrides: Any) -> Settings:
    """Read the environment and .env. Raises ConfigurationError naming the variable to change."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]).upper()
        raise ConfigurationError(f"{name} is not valid: {first['msg'].removeprefix('Value error, ')}.") from None
