"""``wellsentry feedback``."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.feedback import Feedback, FeedbackKind

By = Annotated[str, typer.Option("--by", help="Who says it: it is recorded.")]
Text = Annotated[str | None, typer.Option("--text", help="In your own words.")]
Client = Annotated[
    str | None, typer.Option("--client", help="Whose machine it is, where several have one of that name.")
]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Incident = Annotated[str, typer.Argument(help="Id of the incident.")]
About = Annotated[str, typer.Argument(help="Id of an incident, or a machine's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    feedback = typer.Typer(
        help="What people say about incidents and machines: listed, said, undone.", no_args_is_help=True
    )
    app.add_typer(feedback, name="feedback")

    @feedback.callback()
    def only_what_is_shown(context: typer.Context) -> None:
        from streams.log import warnings_only

        context.with_resource(warnings_only())

    for add in (_add_list, _add_about_stretches, _add_about_anything, _add_shelve, _add_undo):
        add(feedback)


def _add_list(feedback: typer.Typer) -> None:
    @feedback.command("list")
    def list_feedback(
        about: Annotated[str | None, typer.Argument(help="Id of an incident, or a machine's name.")] = None,
        client: Client = None,
        as_json: Json = False,
    ) -> None:
        """List what stands: said, and not undone."""
        import asyncio
        import json

        from streams.cli.context import settings_in_force
        from streams.cli.feedback_shown import echo_feedback
        from streams.feedback.finding import what_stands

        found = asyncio.run(what_stands(settings_in_force(), about, client))
        if as_json:
            typer.echo(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
        elif found:
            echo_feedback(found)
        else:
            typer.echo(f"nothing stands{'' if about is None else f' about {about}'}", err=True)


def _add_about_stretches(feedback: typer.Typer) -> None:
    @feedback.command()
    def confirm(about: Incident, by: By, text: Text = None, as_json: Json = False) -> None:
        """Say that an incident was real: its stretch stays out of training."""
        _say(about, None, "confirm", by, text, None, as_json)

    @feedback.command("false_alarm")
    def false_alarm(about: Incident, by: By, text: Text = None, as_json: Json = False) -> None:
        """Say that an incident was none: its stretch comes into training."""
        _say(about, None, "false_alarm", by, text, None, as_json)


def _add_about_anything(feedback: typer.Typer) -> None:
    @feedback.command()
    def comment(
        about: About,
        by: By,
        text: Annotated[str, typer.Option("--text", help="In your own words.")],
        client: Client = None,
        as_json: Json = False,
    ) -> None:
        """Say something."""
        _say(about, client, "comment", by, text, None, as_json)

    @feedback.command()
    def acknowledge(about: About, by: By, text: Text = None, client: Client = None, as_json: Json = False) -> None:
        """Say that somebody looks after it."""
        _say(about, client, "acknowledge", by, text, None, as_json)


def _add_shelve(feedback: typer.Typer) -> None:
    @feedback.command()
    def shelve(
        about: About,
        by: By,
        hours: Annotated[float | None, typer.Option(help="For so long from now.", min=0.01, max=24 * 366)] = None,
        until: Annotated[str | None, typer.Option(help="Up to this moment, such as 2026-11-24T06:00.")] = None,
        text: Text = None,
        client: Client = None,
        as_json: Json = False,
    ) -> None:
        """Keep an incident or a machine quiet for a time."""
        from streams.cli.feedback_shown import shelved_until

        _say(about, client, "shelve", by, text, lambda now: shelved_until(now, hours, until), as_json)


def _add_undo(feedback: typer.Typer) -> None:
    @feedback.command()
    def undo(
        feedback_id: Annotated[str, typer.Argument(help="Id of what counts no more; its beginning will do.")],
        by: By,
        text: Text = None,
        as_json: Json = False,
    ) -> None:
        """Say that what was said earlier counts no more. An undo can be undone."""
        from streams.cli.context import settings_in_force
        from streams.feedback.finding import find_feedback
        from streams.feedback.making import undoing

        async def made(now: datetime, identifier: str) -> "Feedback":
            earlier = await find_feedback(settings_in_force(), feedback_id)
            return undoing(earlier, by=by, at=now, feedback_id=identifier, text=text)

        _send(made, as_json)


def _say(
    about: str,
    client: str | None,
    kind: "FeedbackKind",
    by: str,
    text: str | None,
    until: Callable[[datetime], datetime] | None,
    as_json: bool,
) -> None:
    from streams.cli.context import settings_in_force
    from streams.feedback.finding import find_incident, find_machine
    from streams.feedback.making import about_incident, about_machine

    async def made(now: datetime, identifier: str) -> "Feedback":
        ends = None if until is None else until(now)
        settings = settings_in_force()
        if kind in ("confirm", "false_alarm") or about.startswith("inc-"):
            incident = await find_incident(settings, about)
            return about_incident(incident, kind, by=by, at=now, feedback_id=identifier, text=text, until=ends)
        whose = await find_machine(settings, about, client)
        return about_machine(whose, about, kind, by=by, at=now, feedback_id=identifier, text=text, until=ends)

    _send(made, as_json)


def _send(made: "Callable[[datetime, str], Awaitable[Feedback]]", as_json: bool) -> None:
    import asyncio
    import uuid
    from datetime import UTC

    from pydantic import ValidationError

    from streams.cli.context import settings_in_force
    from streams.cli.feedback_shown import sent_line
    from streams.feedback import FeedbackSender

    async def send() -> "Feedback":
        said = await made(datetime.now(UTC), uuid.uuid4().hex)
        async with FeedbackSender(settings_in_force()) as sender:
            await sender.send(said)
        return said

    try:
        said = asyncio.run(send())
    except ValidationError as error:
        wrong = (": ".join((*map(str, one["loc"]), one["msg"].removeprefix("Value error, "))) for one in error.errors())
        raise typer.BadParameter("; ".join(wrong)) from error
    typer.echo(said.model_dump_json(indent=2) if as_json else sent_line(said))
