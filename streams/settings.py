"""One frozen settings object: defaults, then ``wellsentry.toml``, then ``WELLSENTRY_…`` variables, then flags."""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from schemas.errors import BadSettings
from schemas.topics import Topics, topics

SETTINGS_FILE = "wellsentry.toml"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BrokerSettings(_Section):
    """Kafka."""

    url: str = Field("127.0.0.1:9092", description="Bootstrap servers, host:port, several by commas.")
    topic_prefix: str = Field("wellsentry", pattern=r"^[a-zA-Z0-9._-]{1,100}$", description="Before each topic's name.")
    partitions: int = Field(8, ge=1, le=10_000, description="Of every topic; cannot be changed later.")
    replication: int = Field(1, ge=1, le=32_767, description="Copies of every partition.")
    session_timeout_s: float = Field(10.0, gt=0, description="How long a silent worker keeps its partitions.")
    heartbeat_interval_s: float = Field(2.0, gt=0)
    producer_batch_bytes: int = Field(512_000, ge=16_384, le=8_000_000, description="Largest batch sent.")


class WorkerSettings(_Section):
    """The worker: readings in, labels out."""

    app_id: str = Field("wellsentry-worker", description="Consumer group.")
    stacks: tuple[str, ...] = Field(("load",), min_length=1, description="Stacks that watch every machine.")
    detectors: dict[str, str] = Field({}, description="Detector by stack, in place of the stack's own.")
    status_interval_s: float = Field(1.0, ge=0, description="A machine's status is sent at most this often.")
    changelog_interval_s: float = Field(0.5, ge=0, le=60, description="State is written at most this often.")
    max_message_bytes: int = Field(65_536, ge=256, description="Larger messages are rejected.")
    max_machines_per_client: int = Field(100_000, ge=1, description="Per partition; further ones are rejected.")
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


class RegistrySettings(_Section):
    """Where models live: a directory, or s3://bucket/prefix."""

    url: str = Field("registry", description="Directory or s3:// address.")
    s3_endpoint: str | None = Field(None, description="Another S3 than AWS's.")


class DynamoSettings(_Section):
    """DynamoDB, where labels are kept."""

    endpoint: str | None = Field(None, description="Another DynamoDB than AWS's, http://host:port.")
    region: str = "us-east-1"
    table: str = Field("wellsentry-labels", pattern=r"^[a-zA-Z0-9_.-]{3,255}$")
    ttl_days: int = Field(90, ge=1, le=3650, description="Labels are deleted so long after their event time.")
    access_key_id: SecretStr | None = Field(None, description="For local ones; on AWS leave it to the role.")
    secret_access_key: SecretStr | None = None


class SinkSettings(_Section):
    """The sink: labels to DynamoDB."""

    app_id: str = Field("wellsentry-sink", description="Consumer group.")
    max_attempts: int = Field(8, ge=1, description="Per batch, with exponential backoff, before the sink stops.")
    writers: int = Field(4, ge=1, le=64, description="Batches written at the same time.")
    linger_s: float = Field(
        70.0,
        ge=0,
        description="A label waits at most so long for the others of its minute. Less: sooner there, dearer.",
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
        frozen=True, extra="forbid", env_prefix="WELLSENTRY_", env_nested_delimiter="__", validate_default=True
    )

    broker: BrokerSettings = BrokerSettings()  # type: ignore[call-arg]
    worker: WorkerSettings = WorkerSettings()  # type: ignore[call-arg]
    trainer: TrainerSettings = TrainerSettings()  # type: ignore[call-arg]
    registry: RegistrySettings = RegistrySettings()  # type: ignore[call-arg]
    dynamodb: DynamoSettings = DynamoSettings()  # type: ignore[call-arg]
    sink: SinkSettings = SinkSettings()  # type: ignore[call-arg]
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
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadSettings(f"settings cannot be used: {wrong}. See `wellsentry config`.") from error
    except (OSError, ValueError) as error:
        raise BadSettings(f"{settings_file()} cannot be read: {error}") from error
