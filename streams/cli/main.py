"""``wellsentry``: the options before the command, the commands, and what becomes of errors."""

import importlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.errors import WellsentryError
from streams.cli.context import put_in_force

#: In the order in which the help lists them.
COMMANDS = (
    "demo", "dashboard", "token", "worker", "trainer", "sink", "notify", "score", "explore", "handle", "feed",
    "simulate", "tail", "labels", "feedback", "reproduce", "replay", "models", "schema", "release", "audit", "topics",
    "config", "doctor",
)  # fmt: skip

app = typer.Typer(
    name="wellsentry",
    help="Streaming anomaly detection for wells: casing and tubing pressure in, labels out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in COMMANDS:
    importlib.import_module(f"streams.cli.{command}").register(app)


@app.callback()
def options(
    context: typer.Context,
    config_file: Annotated[Path | None, typer.Option("--config", help="Settings file [wellsentry.toml].")] = None,
    broker: Annotated[str | None, typer.Option(help="Kafka's bootstrap servers, host:port.")] = None,
    dynamodb: Annotated[str | None, typer.Option(help="DynamoDB's endpoint, http://host:port.")] = None,
    registry: Annotated[str | None, typer.Option(help="Where models live: a directory or s3://…")] = None,
    prefix: Annotated[str | None, typer.Option(help="Before each topic's name.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Options before the command are settings; `wellsentry config` shows all of them and where each comes from."""
    from streams.log import warnings_only
    from streams.settings import load_settings

    context.with_resource(warnings_only())  # a program that runs on chooses its own logging then
    if config_file is not None:
        os.environ["WELLSENTRY_CONFIG"] = str(config_file)
    flags = nested_flags(
        {
            ("broker", "url"): broker,
            ("broker", "topic_prefix"): prefix,
            ("dynamodb", "endpoint"): dynamodb,
            ("registry", "url"): registry,
            ("log", "level"): log_level,
        }
    )
    put_in_force(load_settings(**flags), flags)


def nested_flags(given: dict[tuple[str, str], str | None]) -> dict[str, dict[str, Any]]:
    """Flags that were given, as the settings nest them.

    >>> nested_flags({("broker", "url"): "kafka:9092", ("log", "level"): None})
    {'broker': {'url': 'kafka:9092'}}
    """
    nested: dict[str, dict[str, Any]] = {}
    for (section, name), value in given.items():
        if value is not None:
            nested.setdefault(section, {})[name] = value
    return nested


def main() -> None:
    """The program: what it raises on purpose is shown as a sentence, without a traceback."""
    try:
        app()
    except WellsentryError as error:
        typer.secho(f"wellsentry: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
