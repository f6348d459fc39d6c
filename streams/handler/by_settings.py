"""The job and the data source that the settings name: for the image as it comes, and for trying out."""

from pathlib import Path

from models.stacks import choose_stacks
from schemas.outputs import LoadADOutput, StackOutput
from streams.handler.files import FileSource
from streams.handler.job import CleanDataStack
from streams.handler.sources import DataSource
from streams.handler.topic import TopicSource
from streams.settings import Settings


def job_named(name: str) -> type[CleanDataStack]:
    """A job for the stack of this name. Raises :class:`schemas.errors.BadSettings` if there is none."""
    (chosen,) = choose_stacks([name])

    class Job(CleanDataStack):
        """As the settings have it."""

        stack = chosen
        output = LoadADOutput if name == "load" else StackOutput

    return Job


def source_named(settings: Settings) -> DataSource:
    """The readings topic, or files."""
    named = settings.handler
    return TopicSource(settings) if named.source == "topic" else FileSource(Path(named.source), unit=named.unit)
