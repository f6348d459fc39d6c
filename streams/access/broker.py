"""Settings of the broker as each Kafka library wants them. Whoever connects asks here.

AIOKafkaConsumer(**for_aiokafka(settings.broker), auto_offset_reset="earliest")
"""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import BadSettings, BrokerError
from streams.access.tokens import AiokafkaTokens, KafkaPythonTokens
from streams.settings import BrokerSettings

if TYPE_CHECKING:
    from faust.types.auth import CredentialsT


def for_aiokafka(broker: BrokerSettings) -> dict[str, Any]:
    """Arguments of an aiokafka client. Raises :class:`BadSettings` if a file cannot be used."""
    access = {"bootstrap_servers": broker.url, **_both(broker)}
    if broker.token_file is not None:
        access["sasl_oauth_token_provider"] = AiokafkaTokens(Path(broker.token_file))
    return access


def for_kafka_python(broker: BrokerSettings) -> dict[str, Any]:
    """Arguments of a kafka-python client. Raises :class:`BadSettings` if a file cannot be used."""
    access = {"bootstrap_servers": addresses(broker), **_both(broker)}
    if broker.token_file is not None:
        access["sasl_oauth_token_provider"] = KafkaPythonTokens(Path(broker.token_file))
    return access


def for_faust(broker: BrokerSettings) -> "CredentialsT | None":
    """Faust's ``broker_credentials``. Raises :class:`BadSettings` if a file cannot be used."""
    import faust  # takes half a second, and who only reads a topic has no use for it

    context = tls(broker)
    if broker.token_file is not None:
        return faust.OAuthCredentials(oauth_cb=AiokafkaTokens(Path(broker.token_file)), ssl_context=context)
    if broker.sasl_mechanism is not None:
        return faust.SASLCredentials(
            mechanism=broker.sasl_mechanism.upper(),
            username=broker.user,
            password=None if broker.password is None else broker.password.get_secret_value(),
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


def addresses(broker: BrokerSettings) -> list[str]:
    """The bootstrap servers, each host:port."""
    return [address.strip() for address in broker.url.split(",")]


def no_topic(topic: str) -> BrokerError:
    """What to raise where a topic is wanted that the broker does not show us."""
    return BrokerError(
        f"there is no topic {topic} that we may see: make it with `wellsentry topics create`, or give this user the right to "
        "it (docs/security.md)"
    )


def tls(broker: BrokerSettings) -> ssl.SSLContext | None:
    """What TLS is spoken with, None where it is not. Certificate and host name of the broker are always checked."""
    if not broker.is_encrypted:
        return None
    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
    except OSError as error:
        raise BadSettings(
            f"broker.ca_file: {broker.ca_file} cannot be used: {error.strerror or error}. It must be a PEM file with the "
            "certificate of who signed the brokers' certificates."
        ) from error
    if broker.certificate_file is not None:
        secret = broker.key_password
        # An empty password, where there is none, is refused; without it OpenSSL would ask on the terminal.
        password = "" if secret is None else secret.get_secret_value()
        try:
            context.load_cert_chain(broker.certificate_file, broker.key_file, password=password)
        except (OSError, ValueError) as error:
            raise BadSettings(
                f"broker.certificate_file {broker.certificate_file} with broker.key_file {broker.key_file} cannot be used: "
                f"{getattr(error, 'strerror', None) or error}. Both must be PEM files that belong together, and "
                "broker.key_password the key's."
            ) from error
    return context


def _both(broker: BrokerSettings) -> dict[str, Any]:
    """What aiokafka and kafka-python call by the same names."""
    access: dict[str, Any] = {"security_protocol": broker.security_protocol.upper(), "ssl_context": tls(broker)}
    if broker.sasl_mechanism is not None:
        access["sasl_mechanism"] = broker.sasl_mechanism.upper()
    if broker.user is not None and broker.password is not None:
        access["sasl_plain_username"] = broker.user
        access["sasl_plain_password"] = broker.password.get_secret_value()
    return access
