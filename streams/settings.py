"""One frozen settings object: defaults, then ``wellsentry.toml``, then ``WELLSENTRY_…`` variables, then flags."""

import ipaddress
import os
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from schemas.errors import BadSettings
from schemas.topics import Topics, topics
from streams.notifier.targets import TargetName, TargetSettings

SETTINGS_FILE = "wellsentry.toml"


class _Section(BaseModel):
    # What was given is never shown in an error: it may be a secret.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def _given(self, *names: str) -> list[str]:
        """Those of ``names`` that are set."""
        return [name for name in names if getattr(self, name) is not None]


class BrokerSettings(_Section):
    """Kafka."""

    url: str = Field("127.0.0.1:9092", description="Bootstrap servers, host:port, several by commas.")
    security_protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        "plaintext", description="ssl: encrypted; sasl: with a user or token. Certificates are always checked."
    )
    ca_file: str | None = Field(None, description="PEM of who signed the brokers' certificates; else the system's.")
    certificate_file: str | None = Field(None, description="PEM that shows the brokers who we are (mutual TLS).")
    key_file: str | None = Field(None, description="PEM of its key, where certificate_file does not hold it.")
    key_password: SecretStr | None = Field(None, description="Of the key, where it has one.")
    sasl_mechanism: Literal["plain", "scram-sha-256", "scram-sha-512", "oauthbearer"] | None = None
    user: str | None = Field(None, min_length=1, description="For plain and scram.")
    password: SecretStr | None = Field(None, description="For plain and scram.")
    token_file: str | None = Field(
        None, description="For oauthbearer: holds the token, read again before each authentication."
    )
    topic_prefix: str = Field("wellsentry", pattern=r"^[a-zA-Z0-9._-]{1,100}$", description="Before each topic's name.")
    partitions: int = Field(8, ge=1, le=10_000, description="Of every topic; cannot be changed later.")
    replication: int = Field(1, ge=1, le=32_767, description="Copies of every partition.")
    session_timeout_s: float = Field(10.0, gt=0, description="How long a silent worker keeps its partitions.")
    heartbeat_interval_s: float = Field(2.0, gt=0)
    producer_batch_bytes: int = Field(512_000, ge=16_384, le=8_000_000, description="Largest batch sent.")

    @model_validator(mode="after")
    def _tls_belongs_together(self) -> Self:
        given = self._given("ca_file", "certificate_file", "key_file", "key_password")
        if given and not self.is_encrypted:
            raise ValueError(
                f"{given[0]} is set, but security_protocol is {self.security_protocol}, which encrypts nothing: "
                "make it ssl or sasl_ssl"
            )
        if self.certificate_file is None and self._given("key_file", "key_password"):
            raise ValueError("a key is of no use without certificate_file")
        return self

    @model_validator(mode="after")
    def _sasl_belongs_together(self) -> Self:
        if not self.is_authenticated:
            if given := self._given("sasl_mechanism", "user", "password", "token_file"):
                raise ValueError(
                    f"{given[0]} is set, but security_protocol is {self.security_protocol}, which names no user: "
                    "make it sasl_ssl"
                )
            return self
        if self.sasl_mechanism is None:
            raise ValueError(f"security_protocol is {self.security_protocol}, so sasl_mechanism must be set")
        by_token = self.sasl_mechanism == "oauthbearer"
        needed, useless = (
            (("token_file",), ("user", "password")) if by_token else (("user", "password"), ("token_file",))
        )
        if missing := [name for name in needed if getattr(self, name) is None]:
            raise ValueError(f"sasl_mechanism is {self.sasl_mechanism}, so {' and '.join(missing)} must be set")
        if given := self._given(*useless):
            raise ValueError(f"sasl_mechanism is {self.sasl_mechanism}, which has no use for {' and '.join(given)}")
        return self

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.security_protocol in ("ssl", "sasl_ssl")

    @property
    def is_authenticated(self) -> bool:
        """Whether SASL names a user."""
        return self.security_protocol in ("sasl_plaintext", "sasl_ssl")


class WorkerSettings(_Section):
    """The worker: readings in, labels out."""

    app_id: str = Field("wellsentry-worker", description="Consumer group.")
    stacks: tuple[str, ...] = Field(("load",), min_length=1, description="Stacks that watch every machine.")
    detectors: dict[str, str] = Field({}, description="Detector by stack, in place of the stack's own.")
    status_interval_s: float = Field(1.0, ge=0, description="A machine's status is sent at most this often.")
    changelog_interval_s: float = Field(
        2.0, ge=0, le=60, description="A machine's state is written at most this often."
    )
    adoption_interval_s: float = Field(
        2.0, ge=0, le=60, description="A few models of a partition come into force this often."
    )
    max_message_bytes: int = Field(65_536, ge=256, le=524_288, description="Larger messages are rejected, and cut.")
    max_machines_per_client: int = Field(100_000, ge=1, description="Per partition; further ones are rejected.")
    max_machines: int = Field(200_000, ge=1, description="Per partition, of all clients; further ones are rejected.")
    training_requests: bool = Field(True, description="Whether the worker asks for refits.")


class TrainerSettings(_Section):
    """The trainer: histories in, models out."""

    app_id: str = Field("wellsentry-trainer", description="Consumer group.")
    trees: int = Field(100, ge=1, le=1000)
    samples_per_tree: int = Field(256, ge=2, le=10_000)
    score_digits: int = Field(2, ge=1, le=16, description="Scores are rounded to this before equal neighbours merge.")
    fleet_after_machines: int = Field(
        5, ge=1, description="A fleet model is made once so many machines have their own."
    )


class AwsSettings(_Section):
    """How AWS, or what speaks like it, knows us. None set: AWS's own chain, which also knows roles."""

    access_key_id: SecretStr | None = Field(None, description="None: environment, AWS's files, or the role.")
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = Field(None, description="Of temporary keys.")

    @model_validator(mode="after")
    def _keys_belong_together(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together: set both, or neither")
        if self.session_token is not None and self.access_key_id is None:
            raise ValueError(
                "session_token belongs to an access_key_id and a secret_access_key: set all three, or none"
            )
        return self


def _without_password(url: str | None) -> str | None:
    """Addresses are shown in logs and messages."""
    if url is not None and urlsplit(url).password is not None:
        raise ValueError("an address must not hold a password; there are settings for secrets")
    return url


class RegistrySettings(AwsSettings):
    """Where models live: a directory, or s3://bucket/prefix."""

    url: str = Field("registry", description="Directory or s3:// address.")
    s3_endpoint: str | None = Field(None, description="Another S3 than AWS's.")

    _addresses = field_validator("url", "s3_endpoint")(_without_password)


class DynamoSettings(AwsSettings):
    """DynamoDB, where labels are kept."""

    endpoint: str | None = Field(None, description="Another DynamoDB than AWS's, http://host:port.")
    region: str = "us-east-1"
    table: str = Field("wellsentry-labels", pattern=r"^[a-zA-Z0-9_.-]{3,255}$")
    ttl_days: int = Field(90, ge=1, le=3650, description="Labels are deleted so long after their event time.")

    _addresses = field_validator("endpoint")(_without_password)


class SinkSettings(_Section):
    """The sink: labels to DynamoDB."""

    app_id: str = Field("wellsentry-sink", description="Consumer group.")
    max_attempts: int = Field(8, ge=1, description="Per batch, with exponential backoff, before the sink stops.")
    writers: int = Field(4, ge=1, le=64, description="Batches written at the same time.")
    linger_s: float = Field(
        300.0,
        ge=0,
        description="A label waits at most so long for others of its machine. Less: sooner there, dearer.",
    )
    labels_per_item: int = Field(
        120, ge=1, le=3_600, description="So many of a machine wait for no more. Less: sooner there, dearer."
    )


class HandlerSettings(_Section):
    """The handler as it comes, and `wellsentry handle`: one of your own needs none of this."""

    stack: str = Field("load", description="The stack that judges.")
    source: str = Field("topic", description="topic, or a file or directory of CSV and Parquet files.")
    unit: str = Field("psi", description="Unit of the pressures in files.")


class DashboardSettings(_Section):
    """The dashboard: a web server of its own."""

    host: str = Field("127.0.0.1", description="Address to listen at. Beyond this machine only with sign-in.")
    port: int = Field(8080, ge=0, le=65_535, description="0: any free one.")
    silent_after_s: float = Field(
        300.0, gt=0, description="A machine of which nothing came for so long is shown as silent."
    )
    tick_s: float = Field(0.25, ge=0.05, le=5, description="What changed of what is in view is sent this often.")
    rest_tick_s: float = Field(2.0, ge=0.05, le=60, description="What changed of all the rest is sent this often.")
    areas_file: str | None = Field(None, description="CSV with the columns client_id, machine_id, area, to filter by.")
    recent_labels: int = Field(
        1_500_000,
        ge=1_000,
        le=100_000_000,
        description="Newest labels in memory for machines' charts, 75 bytes each; DynamoDB has them sink.linger_s later.",
    )
    users_file: str | None = Field(
        None, description="TOML: who may look, and as what; none: whoever is on this machine."
    )
    session_secret: SecretStr | None = Field(
        None, min_length=32, description="Signs the sessions of browsers. None: a random one at each start."
    )
    session_hours: float = Field(12.0, gt=0, le=720, description="After so long a browser signs in again.")
    cookie_secure: Literal["auto", "always"] = Field(
        "auto", description="The session's cookie goes over https alone: where a request came so, or always."
    )
    hosts: tuple[str, ...] = Field((), description="Names, with the port if it is unusual, that browsers know it by.")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses and networks whose X-Forwarded-For and -Proto are believed."
    )
    proxy_user_header: str | None = Field(None, description="Header in which they, and no others, name a user.")
    proxy_groups_header: str | None = Field(None, description="The same for groups, by commas.")
    certificate_file: str | None = Field(None, description="PEM: then https is spoken.")
    key_file: str | None = Field(None, description="PEM of its key, where certificate_file does not hold it.")
    requests_per_s: float = Field(
        50.0, gt=0, description="Of one viewer; ten seconds' worth at once. A page counts five."
    )
    answers_per_min: float = Field(60.0, gt=0, description="Feedback of one viewer.")
    sockets: int = Field(1_000, ge=1, description="Websockets that are open at the same time: each page has two.")
    sockets_of_a_viewer: int = Field(200, ge=1, description="And of each viewer.")
    streams: int = Field(100, ge=1, description="Streams of events that are read at the same time, of all viewers.")
    streams_of_a_viewer: int = Field(10, ge=1, description="And of each of them.")
    events_mb: float = Field(
        16.0, gt=0, description="Newest labels in memory for all streams; who is further behind is served from Kafka."
    )

    @field_validator("hosts")
    @classmethod
    def _as_browsers_say_them(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if bad := [one for one in hosts if not one or set(one) & set("/@ ")]:
            raise ValueError(f"{bad[0]!r} is no host name: give it as in wells.example.com or wells.example.com:8443")
        return tuple(one.lower() for one in hosts)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for one in networks:
            ipaddress.ip_network(one)  # its ValueError says what is wrong
        return networks

    @model_validator(mode="after")
    def _sign_in_belongs_together(self) -> Self:
        if self.proxy_user_header is not None and not (self.trusted_proxies and self.users_file):
            raise ValueError(
                "proxy_user_header is of no use without trusted_proxies, who may set it, and users_file, "
                "which says what users may do"
            )
        if self.proxy_groups_header is not None and self.proxy_user_header is None:
            raise ValueError("proxy_groups_header is of no use without proxy_user_header")
        if self.key_file is not None and self.certificate_file is None:
            raise ValueError("a key is of no use without certificate_file")
        return self


class NotifierSettings(_Section):
    """The notifier: incidents to people and other programs."""

    app_id: str = Field("wellsentry-notifier", description="Consumer groups: this, a hyphen and the target's name.")
    dashboard_url: str | None = Field(None, description="Where people open the dashboard, for links in notices.")
    targets: dict[TargetName, TargetSettings] = Field({}, description="Who is told, by name.")

    _addresses = field_validator("dashboard_url")(_without_password)


class MetricsSettings(_Section):
    """What worker, trainer and sink tell about themselves: /metrics, /health and /ready."""

    host: str = Field("127.0.0.1", description="Address to listen at. Whoever reaches it may read.")
    port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Of each program that is started with it. None: they tell nothing. 0: any free.",
    )


class LogSettings(_Section):
    """What is logged and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, JSON elsewhere."
    )


class Settings(BaseSettings):
    """All settings of one process, read once at its edge."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="WELLSENTRY_",
        env_nested_delimiter="__",
        validate_default=True,
        hide_input_in_errors=True,
    )

    broker: BrokerSettings = BrokerSettings()  # type: ignore[call-arg]
    worker: WorkerSettings = WorkerSettings()  # type: ignore[call-arg]
    trainer: TrainerSettings = TrainerSettings()  # type: ignore[call-arg]
    registry: RegistrySettings = RegistrySettings()  # type: ignore[call-arg]
    dynamodb: DynamoSettings = DynamoSettings()  # type: ignore[call-arg]
    sink: SinkSettings = SinkSettings()  # type: ignore[call-arg]
    handler: HandlerSettings = HandlerSettings()  # type: ignore[call-arg]
    dashboard: DashboardSettings = DashboardSettings()  # type: ignore[call-arg]
    notifier: NotifierSettings = NotifierSettings()  # type: ignore[call-arg]
    metrics: MetricsSettings = MetricsSettings()  # type: ignore[call-arg]
    log: LogSettings = LogSettings()  # type: ignore[call-arg]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file()))

    @property
    def topics(self) -> Topics:
        """The declared topics under this installation's prefix."""
        return topics(self.broker.topic_prefix)


def settings_file() -> Path:
    """The settings file of this process; it need not exist."""
    return Path(os.environ.get("WELLSENTRY_CONFIG", SETTINGS_FILE))


def load_settings(**flags: Any) -> Settings:
    """Settings in force. ``flags`` are nested dicts, as in ``load_settings(broker={"url": "kafka:9092"})``.

    Raises :class:`BadSettings` with every wrong value and where it came from.
    """
    try:
        return Settings(**flags)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise BadSettings(f"settings cannot be used: {wrong}. See `wellsentry config`.") from error
    except (OSError, ValueError) as error:
        raise BadSettings(f"{settings_file()} cannot be read: {error}") from error
