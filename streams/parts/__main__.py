"""Runs one part in the foreground: ``python -m streams.parts kafka|dynamodb|broker|aws``. Ctrl-C ends it."""

import signal
import sys
import threading

from schemas.errors import WellsentryError
from streams.parts.dynamodb_jars import DynamoJars
from streams.parts.embedded_aws import EmbeddedAws
from streams.parts.embedded_broker import EmbeddedBroker
from streams.parts.kafka_jars import KafkaJars
from streams.parts.part import Part

_PARTS: dict[str, type[Part]] = {
    "kafka": KafkaJars,
    "dynamodb": DynamoJars,
    "broker": EmbeddedBroker,
    "aws": EmbeddedAws,
}


def main(arguments: list[str]) -> int:
    """Start the part that is named, print its address on standard output, and wait to be ended."""
    if len(arguments) != 1 or arguments[0] not in _PARTS:
        print(f"usage: python -m streams.parts {'|'.join(_PARTS)}", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        with _PARTS[arguments[0]]() as part:
            print(part.url, flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except WellsentryError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _end(*_: object) -> None:
    # Once is enough: a second one would interrupt the part's own end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
