"""Logs for colleagues: one structured line for each happening, on standard error.

Every line has an ``action`` that stays the same for programs, and names the machine, topic, partition and offset where
there is one. On a terminal it is coloured text, elsewhere JSON. What libraries log goes the same way.
"""

import contextlib
import logging
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

import structlog

from streams.build_info import build_info
from streams.settings import Settings

_LIBRARIES = ("faust", "mode", "asyncio", "uvicorn")
#: These write what they send into their debug lines: passwords, tokens, keys. So they are never asked for them.
_TALKATIVE = ("aiokafka", "kafka", "botocore", "aiobotocore", "boto3", "urllib3", "aiohttp", "fsspec", "s3fs")
#: These write addresses of webhooks, or parts of them, into whatever they say. What failed is said in the notifier's words.
_INDISCREET = ("httpx", "httpcore", "apprise")
#: A library that cannot reach something says so at each of its tries, some seventy times a second.
_LIBRARY_INTERVAL_S = 10.0
_OURS = ("streams", "models", "schemas")
_NAMED_IN_BANNER = ("faust-streaming", "aiokafka", "scikit-learn", "river", "numpy")


def get_logger(name: str) -> Any:
    """A logger; its calls take a sentence and named values: ``log.info("ready", action="ready", partitions=8)``."""
    return structlog.stdlib.get_logger(name)


def setup_logging(settings: Settings, component: str) -> None:
    """Once, at the edge of a program that runs on: as :func:`choose_logging`. Says first what it is that starts."""
    choose_logging(settings, component)
    _banner(settings, component)


def choose_logging(settings: Settings, component: str) -> None:
    """Once, at the edge of a process: where logs go and how they look."""
    console = settings.log.format == "console" or (settings.log.format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: list[Any] = (
        [structlog.dev.ConsoleRenderer()]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    handler.addFilter(calmer(Throttle(interval_s=_LIBRARY_INTERVAL_S)))
    level = getattr(logging, settings.log.level.upper())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    debug = settings.log.level == "debug"
    for library in _LIBRARIES:
        # What they say at info is about themselves.
        logging.getLogger(library).setLevel(level if debug else max(level, logging.WARNING))
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.INFO if debug else max(level, logging.WARNING))
    for library in _INDISCREET:
        logging.getLogger(library).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(component=component)


@contextlib.contextmanager
def warnings_only() -> Iterator[None]:
    """For a command that shows something and ends: what it shows is not to be lost between lines of a log."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def _banner(settings: Settings, component: str) -> None:
    build = build_info()
    get_logger(__name__).info(
        f"wellsentry {component} starts",
        action="start",
        version=build.version,
        git_commit=build.git_commit,
        tree_clean=build.tree_clean,
        python=platform.python_version(),
        libraries={name: _version(name) for name in _NAMED_IN_BANNER},
        settings=settings.model_dump(mode="json"),
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "missing"


def calmer(throttle: "Throttle") -> Callable[[logging.LogRecord], bool]:
    """A filter for what libraries warn of: a line of their code is heard, then kept back and counted for a while."""

    def lets_through(record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or record.name.split(".")[0] in _OURS:
            return True
        kept_back = throttle(f"{record.name}:{record.lineno}")
        if kept_back:
            record.msg, record.args = f"{record.getMessage()} ({kept_back} more like it before)", ()
        return kept_back is not None

    return lets_through


@contextlib.contextmanager
def timed(log: Any, message: str, *, action: str, **values: Any) -> Iterator[None]:
    """Log how long a call to the outside took, and whether it failed."""
    start = time.perf_counter()
    try:
        yield
    except Exception as error:
        log.warning(message, action=action, ok=False, error=repr(error), took_ms=_ms_since(start), **values)
        raise
    log.info(message, action=action, ok=True, took_ms=_ms_since(start), **values)


def _ms_since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 1)


class ThrottledWarnings:
    """Warnings about what others sent: of each action one in ``interval_s``, with the count of those kept back."""

    def __init__(self, log: Any, clock: Callable[[], float] = time.monotonic, interval_s: float = 1.0) -> None:
        self._log, self._lets_through = log, Throttle(clock, interval_s)
        self.counts: Counter[str] = Counter()  # by action, those that were kept back too

    def __call__(self, message: str, *, action: str, **values: Any) -> None:
        """Log it, or count it."""
        self.counts[action] += 1
        kept_back = self._lets_through(action)
        if kept_back is not None:
            self._log.warning(message, action=action, kept_back=kept_back, **values)


class Throttle:
    """Lets a warning through at most once every ``interval_s`` for each kind, with the count of those kept back.

    >>> now = iter([0.0, 0.1, 2.0]).__next__
    >>> throttle = Throttle(now, interval_s=1.0)
    >>> throttle("bad label"), throttle("bad label"), throttle("bad label")
    (0, None, 1)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, interval_s: float = 1.0) -> None:
        self._clock, self._interval_s = clock, interval_s
        self._kinds: dict[str, tuple[float, int]] = {}  # by kind: when it was let through, and how many since

    def __call__(self, kind: str) -> int | None:
        """How many of this kind were kept back since the last one let through; None if this one is kept back too."""
        now = self._clock()
        last, kept = self._kinds.get(kind, (float("-inf"), 0))
        if now - last < self._interval_s:
            self._kinds[kind] = (last, kept + 1)
            return None
        self._kinds[kind] = (now, 0)
        return kept
