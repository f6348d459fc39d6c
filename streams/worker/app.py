"""Running a worker as a process."""

import asyncio

from models.engine.rehearsal import rehearse
from streams.access.rights import rights
from streams.log import setup_logging
from streams.runs.app import serve
from streams.runs.memory import keep_little_memory
from streams.settings import Settings
from streams.topics_admin import require_topics
from streams.worker.pipeline import engine_parts, worker_app


def run_worker(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM; what was begun is finished and committed first."""
    keep_little_memory()
    setup_logging(settings, "worker")
    require_topics(settings, rights(settings)["worker"])

    async def main() -> None:
        # The steps are loaded while the group is joined and state is read, not when the first reading comes.
        loading = asyncio.create_task(asyncio.to_thread(rehearse, *engine_parts(settings.worker)))
        await serve(worker_app(settings))
        await loading

    asyncio.run(main())
