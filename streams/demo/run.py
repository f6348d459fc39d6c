"""Running a demo from its first line to its last."""

import asyncio
import signal
from typing import Any

from rich.console import Console
from rich.table import Table

from streams.demo.figures import Figures
from streams.demo.live import watch_live
from streams.demo.once import stream_once
from streams.demo.options import DemoOptions
from streams.demo.stage import Stage


def run_demo(options: DemoOptions) -> None:
    """Run until the end, or until Ctrl-C. Raises :class:`DemoFailed` when a promise was not kept."""
    asyncio.run(_run(options))


async def _run(options: DemoOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)  # the first one ends it, further ones change nothing
    console = Console(stderr=True)
    stage = Stage(options)
    await asyncio.to_thread(stage.__enter__)
    try:
        for remark in stage.remarks:
            console.print(remark, style="dim")
        figures = Figures()
        if options.once:
            _tell(await stream_once(stage, options, figures, stop))
        else:
            await watch_live(stage, options, figures, stop)
    finally:
        await asyncio.to_thread(stage.__exit__, None, None, None)


def _tell(report: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None)
    for name, value in report.items():
        shown = ", ".join(f"{kind} {count:,}" for kind, count in value.items()) if isinstance(value, dict) else value
        table.add_row(name, str(shown), style="bold" if name == "labels" else None)
    Console().print(table)
