"""``wellsentry tail``."""

from typing import Annotated, Any

import typer

_STYLES = {"normal": "green", "anomalous": "red", "unscored": "bright_black"}


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def tail(
        machine: Annotated[str | None, typer.Option(help="Of this machine alone.")] = None,
        stack: Annotated[str | None, typer.Option(help="Of this stack alone.")] = None,
        anomalous: Annotated[bool, typer.Option("--anomalous", help="Anomalous ones alone.")] = False,
        from_beginning: Annotated[
            bool, typer.Option("--from-beginning", help="With all that the topic holds.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="The labels as they are, one a line.")] = False,
    ) -> None:
        """Show labels as they come, one a line. Ctrl-C ends it."""
        import asyncio

        import msgspec

        from streams.cli.context import settings_in_force
        from streams.reading_topics import read_topic

        settings = settings_in_force()

        async def show() -> None:
            async for record in read_topic(
                settings, settings.topics.labels.name, from_beginning=from_beginning, until_end=False
            ):
                label = msgspec.json.decode(record.value)
                if machine not in (None, label["machine_id"]) or stack not in (None, label["stack"]):
                    continue
                if anomalous and label["label"] != "anomalous":
                    continue
                if as_json:
                    typer.echo(record.value.decode())
                else:
                    typer.secho(label_line(label), fg=_STYLES[label["label"]])

        asyncio.run(show())


def label_line(label: dict[str, Any]) -> str:
    """A label in one line of a terminal.

    >>> label_line({"event_time": "2026-11-24T02:44:10.000Z", "machine_id": "well-7", "stack": "load", "value": 112.5,
    ...             "median": 110.0, "expected_low": 90.0, "expected_high": 105.0, "surprise": 3.2, "label": "anomalous",
    ...             "reason": None, "alert": "opened", "model_rung": "own"})
    '2026-11-24T02:44:10.000Z  well-7  load  112.5  median 110.0 in 90.0 … 105.0  surprise 3.20  anomalous  alert opened  own'
    """
    expected = f" in {_number(label['expected_low'])} … {_number(label['expected_high'])}"
    said = label["label"] + (f" ({label['reason']})" if label["reason"] else "")
    alert = "" if label["alert"] == "quiet" else f"  alert {label['alert']}"
    return (
        f"{label['event_time']}  {label['machine_id']}  {label['stack']}  {_number(label['value'])}  "
        f"median {_number(label['median'])}{expected if label['expected_low'] is not None else ''}  "
        f"surprise {_number(label['surprise'], 2)}  {said}{alert}  {label['model_rung'] or 'no model'}"
    )


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
