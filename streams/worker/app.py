"""Running a worker as a process."""

import asyncio

from models.engine.rehearsal import rehearse
from streams.access.rights import rights
from streams.log import get_logger, setup_logging
from streams.metrics.group import observed_app
from streams.runs.app import serve
from streams.runs.collecting import collect_seldom
from streams.runs.memory import keep_little_memory, let_go_of_code
from streams.settings import Settings
from streams.topics_admin import require_topics
from streams.worker.pipeline import engine_parts, worker_app

log = get_logger(__name__)


def run_worker(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM; what was begun is finished and committed first."""
    keep_little_memory()
    collect_seldom()  # state is read back into many objects that stay
    setup_logging(settings, "worker")
    require_topics(settings, rights(settings)["worker"])

    async def main() -> None:
        # The steps are loaded while the group is joined and state is read, not when the first reading comes.
        loading = asyncio.create_task(asyncio.to_thread(_load_steps, settings))
        app = worker_app(settings)
        app.begin_gently = app.plainly = frozenset((settings.topics.readings.name,))
        app.unhurried = frozenset((settings.topics.models.name,))
        async with observed_app(app, settings, "worker"):
            await serve(app)
        await loading

    asyncio.run(main())


def _load_steps(settings: Settings) -> None:
    rehearse(*engine_parts(settings.worker))
    let_go_of_code("llvmlite")
    log.info("the steps are loaded", action="loaded")
