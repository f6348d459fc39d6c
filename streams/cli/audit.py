"""``wellsentry audit``."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.audit import Report


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def audit(
        begin: Annotated[
            str | None,
            typer.Option("--from", help="Readings that came from then on; ISO 8601, or 2h for two hours ago."),
        ] = None,
        end: Annotated[
            str | None, typer.Option("--to", help="Up to then; 1m leaves out what is still under way.")
        ] = None,
        machine: Annotated[str | None, typer.Option(help="Of this machine alone.")] = None,
        client: Annotated[str | None, typer.Option(help="Of this client alone.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Tell the result as JSON.")] = False,
    ) -> None:
        """Prove that nothing was lost: readings = labels + held + rejected, and DynamoDB = the label topic.

        Exit status 1 if anything is off; the first offenders of each kind are named.
        """
        import time

        from streams.audit import Scope
        from streams.audit.running import run_audit
        from streams.cli.context import settings_in_force
        from streams.cli.times import moment_ms

        settings = settings_in_force()
        now_ms = round(time.time() * 1000)
        scope = Scope(
            settings.topics.readings.name,
            settings.worker.stacks,
            from_ms=0 if begin is None else moment_ms(begin, now_ms),
            to_ms=2**62 if end is None else moment_ms(end, now_ms),
            client_id=client,
            machine_id=machine,
        )
        if scope.from_ms >= scope.to_ms:
            raise typer.BadParameter("--from must be before --to")
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("reading {task.description}: {task.completed:,.0f}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            tasks = {}

            def show(what: str, count: int) -> None:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=None)
                bar.update(tasks[what], completed=count)

            report = run_audit(settings, scope, now_ms, show)
        _tell_json(report) if as_json else _tell(report)
        raise typer.Exit(0 if report.in_order else 1)


def _tell_json(report: "Report") -> None:
    import msgspec

    stacks = [{**msgspec.to_builtins(balance), "difference": balance.difference} for balance in report.balances]
    told = {**msgspec.to_builtins(report), "balances": stacks, "in_order": report.in_order}
    typer.echo(msgspec.json.encode(told))


def _tell(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table("stack", *("readings", "= labels", "+ held", "+ rejected", "off by"))
    for column in table.columns[1:]:
        column.justify = "right"
    for its in report.balances:
        numbers = (its.readings, its.labels, its.held, its.rejected, its.difference)
        table.add_row(its.stack, *(f"{number:,}" for number in numbers))
    console.print(table)
    console.print(
        f"{report.labels:,} labels on their topic ({report.sent_again:,} sent again to the letter), "
        f"{report.stored:,} in DynamoDB, {report.expired:,} expired there"
    )
    for offence in report.offences:
        more = ", ..." if offence.count > len(offence.named) else ""
        line = f"{offence.count:,} {offence.what}: {', '.join(offence.named)}{more}"
        console.print(line, style="red", markup=False, soft_wrap=True)
    console.print("in order" if report.in_order else "NOT in order", style="green" if report.in_order else "bold red")
