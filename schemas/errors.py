"""The one tree of exceptions. Each message says what happened, to which machine or file, and what to do.

WellsentryError
├── BadReading          a message on the readings topic cannot be used; it goes to ``rejected``
├── BadInputFile        a CSV or Parquet file cannot be read
├── BadEvent            an event says not which machine, or how far back
├── SourceError         the data source of a handler cannot answer
├── BadSettings         a setting is unknown, out of range or contradicts another
├── BrokerError         Kafka cannot be reached, or a topic is missing or differs from its declaration
├── StoreError          DynamoDB refused, or kept refusing
├── RegistryError       the registry cannot be read or written
│   └── DamagedEntry    one model in it is incomplete or was changed
├── UnknownModel        no model is called so, or several are
├── StateError          a state record cannot be read back
├── UnknownSubject      no incident, machine or feedback is called so
├── LabelNotFound       there is no such label, or not any more
├── BadCase             a case's directory is incomplete or was changed
├── ReplayError         readings cannot be judged again as they were asked for
├── RefusedRequest      the dashboard's REST does not do what it was asked for
└── MissingPart         a part this command needs (a jar, a wheel, a program) is not installed
"""


class WellsentryError(Exception):
    """Anything wellsentry raises on purpose. Catch this at the edge and show the message; it is written for people."""


class BadReading(WellsentryError):
    """A message on the readings topic cannot be used.

    ``reason`` is one of :data:`schemas.rejected.RejectReason` and stays stable for programs; the text is for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class BadInputFile(WellsentryError):
    """A CSV or Parquet file cannot be read; the message names the file and, where there is one, the row."""


class BadEvent(WellsentryError):
    """An event for a handler cannot be used. ``wrong`` names each field and what is wrong with it."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(
            f"the event cannot be used: {'; '.join(wrong)}. It needs client_id, machine_id and lookback, in days."
        )
        self.wrong = wrong


class SourceError(WellsentryError):
    """The data source of a handler failed, or answered with what are no readings. Trying again may help."""


class BadSettings(WellsentryError):
    """A setting is unknown, out of range or contradicts another; the message names it and where it came from."""


class BrokerError(WellsentryError):
    """Kafka cannot be reached, or a topic is missing or differs from its declaration."""


class StoreError(WellsentryError):
    """DynamoDB refused a request, or kept refusing it until the retries ran out."""


class RegistryError(WellsentryError):
    """The registry cannot be read or written; the message names the file. Trying again may help."""


class DamagedEntry(RegistryError):
    """An entry of the registry is incomplete, or not as it was stored. Trying again does not help."""


class UnknownModel(WellsentryError):
    """No model of the registry is called so, or several are; the message says what to give besides."""


class StateError(WellsentryError):
    """A state record in the changelog cannot be read back by this version."""


class UnknownSubject(WellsentryError):
    """Nothing is called so that people could speak of, or several things are; the message says where it was looked for."""


class LabelNotFound(WellsentryError):
    """There is no such label where it was looked for; the message says where that was."""


class BadCase(WellsentryError):
    """A case's directory lacks a file, or holds one that is not as it was saved; the message names the file."""


class ReplayError(WellsentryError):
    """Readings cannot be judged again as it was asked for; the message says which, and what else can be asked."""


class RefusedRequest(WellsentryError):
    """The dashboard's REST does not do what it was asked for, answered as RFC 9457 says.

    ``status`` is HTTP's; ``code`` stays stable for programs; the text is for people. After ``retry_after_s`` it is worth
    another try.
    """

    def __init__(self, status: int, code: str, detail: str, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.retry_after_s = status, code, retry_after_s


class MissingPart(WellsentryError):
    """A part that this command needs is not installed here; the message says which and how to get it."""
