"""Why Kafka does not let us in, in a sentence with what to do.

Libraries try again, in silence or with a flood of lines, and say no more than that nothing could be reached. So a connection
is made here, step by step, before a program starts or after a library gave up, and the first step that fails is named. No
secret gets into the sentence.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiokafka.conn import create_conn
from aiokafka.errors import (
    BrokerResponseError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from schemas.errors import BrokerError
from streams.access.broker import addresses, for_aiokafka
from streams.access.tokens import read_token
from streams.settings import BrokerSettings

_PATIENCE_S: Final = 5.0
#: asyncio closes the socket of a connection that failed a little later.
_LET_GO_S: Final = 0.05
_KNOCK_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Why:
    """Why we are not let in."""

    said: str
    may_pass: bool = False  # nobody is there yet


def knock(broker: BrokerSettings, patience_s: float) -> None:
    """Return once Kafka lets us in. Raises :class:`BrokerError` at once if it refuses, or if nobody comes in time."""
    deadline = time.monotonic() + patience_s
    while (why := _ask(broker)) is not None:
        if not why.may_pass or time.monotonic() > deadline:
            raise _cannot_be_used(broker, why.said)
        time.sleep(_KNOCK_EVERY_S)


def cannot_connect(broker: BrokerSettings, error: Exception) -> BrokerError:
    """What to raise after ``error``, when no connection could be made. Takes up to some seconds."""
    why = _ask(broker)
    return _cannot_be_used(broker, f"{type(error).__name__}: {error}" if why is None else why.said)


def _ask(broker: BrokerSettings) -> Why | None:
    # In a thread, since an event loop may be running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, why_not(broker)).result()


def _cannot_be_used(broker: BrokerSettings, said: str) -> BrokerError:
    return BrokerError(f"Kafka at {broker.url} cannot be used: {said}")


async def why_not(broker: BrokerSettings) -> Why | None:
    """Why none of the bootstrap servers lets us in; None if one does."""
    if broker.token_file is not None:
        try:
            read_token(Path(broker.token_file))
        except OSError as error:
            return Why(f"broker.token_file cannot be read: {error}")
    found: Why | None = None
    for address in addresses(broker):
        found = await _why_not_at(broker, address)
        if found is None:
            return None
    return found


async def _why_not_at(broker: BrokerSettings, address: str) -> Why | None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return Why(f"{address!r} is no address; broker.url is host:port, several by commas")
    access = for_aiokafka(broker)
    del access["bootstrap_servers"]
    try:
        async with asyncio.timeout(_PATIENCE_S):
            connection = await create_conn(host.strip("[]"), int(port), **access)
            try:
                answer = await connection.send(MetadataRequest([]))
                if not answer.brokers:  # aiokafka takes a token for accepted; the broker then answers with nothing
                    raise KafkaConnectionError("it tells nothing about itself")
            finally:
                await connection.close()
    except TimeoutError:
        return Why(
            f"{address} does not answer within {_PATIENCE_S:.0f} s; is it Kafka, does broker.security_protocol "
            f"({broker.security_protocol}) fit its listener, does a firewall stand between?",
            may_pass=True,
        )
    except (OSError, KafkaError) as error:
        await asyncio.sleep(_LET_GO_S)
        return Why(_in_words(broker, address, error), may_pass=isinstance(error, ConnectionRefusedError))
    return None


def _in_words(broker: BrokerSettings, address: str, error: Exception) -> str:
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _bad_certificate(broker, address, one)
    for one in chain:
        if isinstance(one, ssl.SSLError):
            return _bad_tls(broker, address, one)
    if isinstance(error, socket.gaierror):
        return f"nobody knows the host of {address}; check broker.url"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens at {address}; start Kafka, or name another with --broker"
    if isinstance(error, UnsupportedSaslMechanismError | IllegalSaslStateError):
        return (
            f"{address} does not take {_mechanism(broker)}: {_said(error)}. Check broker.sasl_mechanism, and that "
            f"broker.security_protocol ({broker.security_protocol}) fits the listener"
        )
    if isinstance(error, SaslAuthenticationFailed | BrokerResponseError):
        return f"{address} refuses {_who(broker)}: {_said(error)}. {_CHECK_WHO[broker.token_file is not None]}"
    return _closed(broker, address, error)


def _bad_certificate(broker: BrokerSettings, address: str, error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message.rstrip(".")
    if "match" in said or "not valid for" in said:
        return (
            f"the certificate of {address} is for another name ({said}); put a name that it holds into broker.url, or "
            "have the broker's certificate made anew"
        )
    signer = f"broker.ca_file ({broker.ca_file})" if broker.ca_file else "this system's list (set broker.ca_file)"
    return (
        f"the certificate of {address} is not to be trusted ({said}): the signer must be in {signer}, "
        "and the certificate in date"
    )


def _bad_tls(broker: BrokerSettings, address: str, error: ssl.SSLError) -> str:
    reason = error.reason or str(error)
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason or "HANDSHAKE_FAILURE" in reason):
        mine = broker.certificate_file or "none is set"
        return f"{address} demands a certificate that it trusts ({reason}); check broker.certificate_file ({mine})"
    return (
        f"{address} does not speak TLS as we do ({reason}); is it a listener without TLS? Check port and "
        f"broker.security_protocol ({broker.security_protocol})"
    )


def _closed(broker: BrokerSettings, address: str, error: Exception) -> str:
    if broker.token_file is not None:
        guess = f"does {broker.token_file} hold a token that is valid now and for this broker?"
    elif broker.is_authenticated:
        guess = "does its listener speak TLS or not, as broker.security_protocol says?"
    elif broker.is_encrypted:
        guess = "does it demand a certificate (broker.certificate_file), or a user (sasl_ssl)?"
    else:
        guess = "does it demand TLS (ssl) or a user (sasl_ssl)?"
    return f"{address} hangs up ({_said(error)}); broker.security_protocol is {broker.security_protocol}: {guess}"


#: What to check when the broker refuses whom we say we are; with a token, the second one.
_CHECK_WHO: Final = (
    "Check broker.user, broker.password and broker.sasl_mechanism, and that the broker knows that user.",
    "Check that broker.token_file holds a token that is valid now and meant for this broker.",
)


def _who(broker: BrokerSettings) -> str:
    if broker.token_file is not None:
        return f"the token in {broker.token_file}"
    return f"user {broker.user} ({_mechanism(broker)})" if broker.user is not None else "us"


def _mechanism(broker: BrokerSettings) -> str:
    return "connections without a user" if broker.sasl_mechanism is None else broker.sasl_mechanism.upper()


def _said(error: Exception) -> str:
    """What the error says for itself, or else its name."""
    said = error.args[0] if error.args else None
    return said.rstrip(".") if isinstance(said, str) and said else type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


async def start(client: Any, broker: BrokerSettings) -> None:
    """Start an aiokafka client. If it cannot connect, let go of it and raise :class:`BrokerError` with the reason."""
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        await client.stop()
        raise await asyncio.to_thread(cannot_connect, broker, error) from error
