"""Running a worker as a process."""

import asyncio

from streams.access.rights import rights
from streams.log import setup_logging
from streams.runs.app import serve
from streams.settings import Settings
from streams.topics_admin import require_topics
from streams.worker.pipeline import worker_app


def run_worker(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM; what was begun is finished and committed first."""
    setup_logging(settings, "worker")
    require_topics(settings, rights(settings)["worker"])

    async def main() -> None:
        await serve(worker_app(settings))

    asyncio.run(main())
