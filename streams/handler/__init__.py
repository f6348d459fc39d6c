"""Semi-live machines: a look back at one machine whenever somebody asks, as ``handler(event, context)`` for AWS Lambda.

docs/semi-live.md shows how a job is written and deployed. A handler starts cold, so nothing here imports Faust or a Kafka
client before a source needs it.
"""

from streams.handler.files import FileSource
from streams.handler.job import CleanDataStack
from streams.handler.query import QuerySource
from streams.handler.serving import handler_for
from streams.handler.sources import DataSource, Query, Readings
from streams.handler.topic import TopicSource

__all__ = [
    "CleanDataStack",
    "DataSource",
    "FileSource",
    "Query",
    "QuerySource",
    "Readings",
    "TopicSource",
    "handler_for",
]
