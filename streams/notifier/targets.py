"""Settings of a target: who is told, of what, and how it is reached."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from schemas.incidents import Incident
from streams.notifier.signing import key_of

#: Part of its consumer group's name.
TargetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]


class TargetSettings(BaseModel):
    """A webhook (`url` and `secret`), or what apprise knows (`apprise`)."""

    # What was given is never shown in an error: it may be a secret.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: SecretStr | None = Field(None, description="Of a webhook, https://…; hidden, since many hold a token.")
    secret: SecretStr | None = Field(None, description="whsec_…: what a webhook is signed with.")
    old_secret: SecretStr | None = Field(None, description="Signed with as well, while receivers change over.")
    ca_file: str | None = Field(None, description="PEM of who signed the webhook's certificate; else the system's.")
    apprise: SecretStr | None = Field(None, description="An address of apprise: mailtos://, slack://, …")
    clients: tuple[str, ...] = Field((), description="Machines of these clients alone; none named: of all.")
    states: tuple[Literal["opened", "closed"], ...] = Field(("opened", "closed"), min_length=1)
    min_surprise: float = Field(0.0, ge=0, description="Incidents whose peak is below it are not told.")
    heeds_feedback: bool = Field(True, description="false: tell of what is shelved or acknowledged too.")
    storm_at_most: int = Field(20, ge=0, le=10_000, description="So many in storm_window_s, else in one. 0: no bound.")
    storm_window_s: float = Field(60.0, gt=0, le=86_400)
    storm_gather_s: float = Field(5.0, ge=0, le=600, description="A storm is gathered so long before it is told.")
    timeout_s: float = Field(10.0, gt=0, le=20, description="Of one try, all in.")
    max_age_s: float = Field(21_600.0, gt=0, description="Not told so long after it was sent, it is given up.")

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        if (self.url is None) == (self.apprise is None):
            raise ValueError("a target has url and secret, or apprise: set one of the two")
        of_webhooks = [self.secret, self.old_secret, self.ca_file]
        if self.url is None:
            if any(one is not None for one in of_webhooks):
                raise ValueError("secret, old_secret and ca_file belong to url, and apprise has no use for them")
            return self
        _check_address(self.url.get_secret_value())
        if self.secret is None:
            raise ValueError("url needs a secret, so that the receiver can tell who sent it")
        for secret in (self.secret, self.old_secret):
            if secret is not None:
                key_of(secret.get_secret_value())
        return self

    @property
    def keys(self) -> list[bytes]:
        """What a webhook is signed with."""
        return [key_of(one.get_secret_value()) for one in (self.secret, self.old_secret) if one is not None]

    def wants(self, incident: Incident) -> bool:
        """Whether this target is to be told of ``incident``."""
        return (
            incident.state in self.states
            and (not self.clients or incident.client_id in self.clients)
            and incident.peak_surprise >= self.min_surprise
        )


def place_of(url: str) -> str:
    """What may be shown of an address: no user, password, path or query.

    >>> place_of("https://user:pass@hooks.example.com:8443/T0/B0/token?key=1")
    'https://hooks.example.com:8443'
    """
    parts = urlsplit(url)
    port = "" if parts.port is None else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def _check_address(url: str) -> None:
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("url holds what no address may hold")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("url is no address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("url must be http:// or https:// and a host")
