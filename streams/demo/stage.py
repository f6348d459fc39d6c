"""The stage of a demo: parts, directories, settings, and wellsentry's programs on it. Leaving it takes everything down."""

import contextlib
import shutil
import tempfile
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from streams.demo.children import Child
from streams.demo.figures import DemoFailed
from streams.demo.options import DemoOptions
from streams.parts.embedded_aws import EmbeddedAws
from streams.parts.embedded_broker import LIMITS, EmbeddedBroker
from streams.parts.ports import is_listening
from streams.settings import Settings, load_settings
from streams.topics_admin import create_topics

#: Labels are stored soon rather than cheaply: somebody is looking.
_SINK_LINGER_S = 1.0
_PUBLISH_WITHIN_S = 120.0
#: Of the dashboard, where nobody else has it.
_PORT = 8080


def _programs(options: DemoOptions) -> list[str]:
    """What a demo runs; a dashboard only where somebody has time to look at it."""
    programs = ["worker", "trainer", "sink"] if options.refits else ["worker", "sink"]
    return programs if options.once else [*programs, "dashboard"]


class Stage:
    """Everything that runs during a demo."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._stack = contextlib.ExitStack()
        self.children: list[Child] = []
        self.remarks: list[str] = []
        self.settings: Settings
        self.directory: Path

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _build(self) -> None:
        options = self._options
        run = f"demo-{uuid.uuid4().hex[:8]}"
        self.directory = Path(tempfile.mkdtemp(prefix="wellsentry-demo-"))
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        broker = options.broker
        if broker is None:
            broker = self._stack.enter_context(EmbeddedBroker()).url
            self.remarks.append(LIMITS)
        dynamodb = options.dynamodb or self._stack.enter_context(EmbeddedAws()).url
        registry = options.registry or self.directory / "registry"
        sections: dict[str, dict[str, Any]] = {
            "broker": {"url": broker, "topic_prefix": run},
            "worker": {"app_id": f"{run}-worker", "training_requests": options.refits},
            "trainer": {"app_id": f"{run}-trainer"},
            "sink": {"app_id": f"{run}-sink", "linger_s": _SINK_LINGER_S},
            "registry": {"url": str(registry)},
            "log": {"format": "json"},
            "dashboard": {"port": 0 if is_listening(_PORT) else _PORT},
            "dynamodb": {
                "endpoint": dynamodb,
                "table": f"{run}-labels",
                "access_key_id": "local",
                "secret_access_key": "local",
            },
        }
        self.settings = load_settings(**sections)
        create_topics(self.settings)
        if options.registry is not None and options.registry.exists():
            self._publish_registry()
        for command in _programs(options):
            self.start(command)

    def start(self, command: str) -> Child:
        """Start one of wellsentry's programs."""
        child = Child(command, self.settings, self.directory)
        self.children.append(child)
        self._stack.callback(child.stop)
        return child

    def _publish_registry(self) -> None:
        publish = Child("trainer", self.settings, self.directory, "--publish-only")
        self._stack.callback(publish.stop)
        if publish.wait(_PUBLISH_WITHIN_S) != 0:
            raise DemoFailed(f"the registry's models cannot be published:\n{publish.tail()}")

    @property
    def ready(self) -> bool:
        """Whether the worker takes readings."""
        return all(child.ready for child in self.children if child.command == "worker")

    @property
    def dashboard(self) -> str | None:
        """The dashboard's address, once it serves."""
        told = [child.last_said("serving") for child in self.children if child.command == "dashboard"]
        return next((str(line["url"]) for line in told if line is not None), None)

    def check(self) -> None:
        """Raise :class:`DemoFailed` with the end of its log if a program has died."""
        for child in self.children:
            if child.status is not None:
                raise DemoFailed(f"the {child.command} ended with status {child.status}:\n{child.tail()}")
