"""A checksum of all that a production installation has: whoever only looks at it leaves it as it was."""

import hashlib
from pathlib import Path
from typing import Any

from kafka.admin import KafkaAdminClient

from streams.access.broker import for_kafka_python
from streams.reading_ranges import Bounds, RangeReader
from streams.settings import Settings


async def fingerprint(settings: Settings) -> dict[str, Any]:
    """Checksums of everything on an installation's topics and in its registry's directory, and the offsets of all groups on
    the broker."""
    found: dict[str, Any] = {}
    async with RangeReader(settings.broker) as reader:
        for topic in settings.topics:
            digests: dict[int, Any] = {}
            async for run in reader.read(await reader.find(topic.name, Bounds())):
                digest = digests.setdefault(run.tp.partition, hashlib.sha256())
                for one in run.records:
                    digest.update(repr((one.offset, one.timestamp, one.key, one.value)).encode())
            found[topic.name] = {number: digest.hexdigest() for number, digest in digests.items()}
    admin = KafkaAdminClient(**for_kafka_python(settings.broker))
    groups = sorted(str(group["group_id"]) for group in admin.list_groups())
    found["groups"] = {name: admin.list_group_offsets(name)[name] for name in groups}
    admin.close()
    registry = Path(settings.registry.url)
    files = sorted(path for path in registry.rglob("*") if path.is_file())
    found["registry"] = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return found
