"""How we are known outside: settings that belong together, nobody who connects another way, and why we are kept out."""

import ast
import asyncio
import re
import time
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from schemas.errors import BadSettings, BrokerError
from streams.access.broker import for_aiokafka, for_faust, for_kafka_python, tls
from streams.access.tokens import AiokafkaTokens, KafkaPythonTokens, read_token
from streams.access.why import cannot_connect, knock, why_not
from streams.settings import BrokerSettings, Settings, load_settings
from tests.certificates import KEY_PASSWORD, Certificates, make_certificates
from tests.secured_kafka import PASSWORD, SecuredKafka

ROOT = Path(__file__).resolve().parents[2]


def broker_of(**given: Any) -> BrokerSettings:
    return load_settings(broker=given).broker


# -- settings that belong together


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ca_file": "ca.pem"}, "ca_file is set, but security_protocol is plaintext"),
        ({"security_protocol": "sasl_plaintext", "key_file": "k"}, "key_file is set, but .* encrypts nothing"),
        ({"security_protocol": "ssl", "key_file": "k"}, "of no use without certificate_file"),
        ({"security_protocol": "ssl", "password": "secret-x"}, "password is set, but .* names no user"),
        ({"user": "me"}, "user is set, but security_protocol is plaintext"),
        ({"security_protocol": "sasl_ssl"}, "sasl_mechanism must be set"),
        ({"security_protocol": "sasl_ssl", "sasl_mechanism": "plain", "user": "me"}, "password must be set"),
        ({"security_protocol": "sasl_ssl", "sasl_mechanism": "scram-sha-256"}, "user and password must be set"),
        ({"security_protocol": "sasl_ssl", "sasl_mechanism": "oauthbearer"}, "token_file must be set"),
        (
            {"security_protocol": "sasl_ssl", "sasl_mechanism": "oauthbearer", "token_file": "t", "user": "me"},
            "no use for user",
        ),
        (
            {
                "security_protocol": "sasl_ssl",
                "sasl_mechanism": "plain",
                "user": "me",
                "password": "secret-x",
                "token_file": "t",
            },
            "no use for token_file",
        ),
        ({"security_protocol": "tls"}, "broker.security_protocol: Input should be"),
        ({"security_protocol": "sasl_ssl", "sasl_mechanism": "gssapi"}, "broker.sasl_mechanism: Input should be"),
        ({"password": ["secret-x"]}, "broker.password"),
    ],
)
def test_settings_that_contradict_each_other_are_told_without_a_secret(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSettings, match=said) as raised:
        broker_of(**given)
    assert "secret-x" not in f"{raised.value}{raised.value.__cause__}"
    assert "Value error" not in str(raised.value)


@pytest.mark.parametrize(
    ("section", "given", "said"),
    [
        ("dynamodb", {"access_key_id": "secret-x"}, "go together"),
        ("registry", {"secret_access_key": "secret-x"}, "go together"),
        ("dynamodb", {"session_token": "secret-x"}, "session_token belongs to"),
        ("dynamodb", {"endpoint": "http://me:secret-x@127.0.0.1:8000"}, "must not hold a password"),
        ("registry", {"url": "ftp://me:secret-x@127.0.0.1/models"}, "must not hold a password"),
        ("registry", {"s3_endpoint": "http://me:secret-x@127.0.0.1:9000"}, "must not hold a password"),
    ],
)
def test_half_a_key_and_a_password_in_an_address_are_refused(section: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSettings, match=said) as raised:
        load_settings(**{section: given})
    assert "secret-x" not in f"{raised.value}{raised.value.__cause__}"


def test_what_sounds_like_a_secret_is_one() -> None:
    for section in Settings.model_fields.values():
        for name, field in section.annotation.model_fields.items():  # type: ignore[union-attr]
            sounds = re.search(r"password|secret|token$|access_key", name) is not None
            assert sounds == (SecretStr in typing.get_args(field.annotation)), name


# -- files


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """For those that need no broker."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def test_certificate_and_host_name_of_the_broker_are_always_checked(certificates: Certificates) -> None:
    context = tls(broker_of(security_protocol="ssl", ca_file=str(certificates.ca)))
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert tls(broker_of()) is None


def test_a_file_that_cannot_be_used_is_named_with_its_setting(certificates: Certificates, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"broker\.ca_file: .*none\.pem cannot be used: No such file"):
        tls(broker_of(security_protocol="ssl", ca_file=str(tmp_path / "none.pem")))
    (tmp_path / "junk.pem").write_text("junk")
    with pytest.raises(BadSettings, match=r"broker\.ca_file: .*junk\.pem cannot be used"):
        tls(broker_of(security_protocol="ssl", ca_file=str(tmp_path / "junk.pem")))
    pair = {"certificate_file": str(certificates.client), "key_file": str(certificates.client_key)}
    with pytest.raises(BadSettings, match=r"broker\.certificate_file .* cannot be used"):
        tls(broker_of(security_protocol="ssl", **pair))
    with pytest.raises(BadSettings, match=r"broker\.certificate_file .* cannot be used") as raised:
        tls(broker_of(security_protocol="ssl", **pair, key_password="secret-x"))
    assert "secret-x" not in str(raised.value)
    assert tls(broker_of(security_protocol="ssl", **pair, key_password=KEY_PASSWORD))


def test_a_token_is_read_again_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for token in ("first", "second"):
        file.write_text(f"{token}\n")
        assert asyncio.run(AiokafkaTokens(file).token()) == token
        assert KafkaPythonTokens(file).token() == token


@pytest.mark.parametrize("content", ["", "\n", "two words", "with\x01control", "caf\u00e9"])
def test_what_is_no_token_is_not_sent(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(OSError, match="holds no token"):
        read_token(file)


# -- nobody connects another way

_CLIENTS = {"KafkaConsumer", "KafkaProducer", "KafkaAdminClient", "AIOKafkaConsumer", "AIOKafkaProducer", "create_conn"}
_ACCESS = {"for_aiokafka", "for_kafka_python"}


def sources() -> list[Path]:
    """What may connect: the local parts know only what they started themselves."""
    found = sorted((ROOT / "streams").rglob("*.py"))
    return [path for path in found if path.parent.name != "parts"]


def gets_its_access(call: ast.Call) -> bool:
    """Whether ``**for_aiokafka(...)``, or a name that holds it, is among the arguments."""
    spread = [keyword.value for keyword in call.keywords if keyword.arg is None]
    return any(
        (isinstance(one, ast.Name) and one.id == "access")
        or (isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in _ACCESS)
        for one in spread
    )


def test_every_kafka_client_gets_its_access_in_one_place() -> None:
    clients, strays = 0, []
    for path in sources():
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in _CLIENTS or name.startswith("AIOKafka"):
                    clients += 1
                    if not gets_its_access(node):
                        strays.append(f"{path.relative_to(ROOT)}:{node.lineno}")
        if path.parent.name != "access" and "bootstrap_servers" in path.read_text():
            strays.append(f"{path.relative_to(ROOT)}: bootstrap_servers")
    assert strays == []
    assert clients >= 8
    assert "broker_credentials=for_faust(broker)" in (ROOT / "streams" / "runs" / "app.py").read_text()


def test_aws_is_asked_in_one_place() -> None:
    outside = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        if path.parent.name != "access"
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and {a.name for a in node.names} & {"boto3", "aiobotocore", "s3fs", "fsspec"})
        or (isinstance(node, ast.ImportFrom) and node.module in {"boto3", "s3fs", "fsspec"})
    ]
    assert outside == []


# -- why we are kept out


def test_a_secret_is_in_no_repr(certificates: Certificates) -> None:
    given = {
        "security_protocol": "sasl_ssl",
        "ca_file": str(certificates.ca),
        "certificate_file": str(certificates.client),
        "key_file": str(certificates.client_key),
        "key_password": KEY_PASSWORD,
        "sasl_mechanism": "plain",
        "user": "me",
        "password": PASSWORD,
    }
    broker = broker_of(**given)
    said = f"{broker!r}{broker}{for_faust(broker)!r}{broker.model_dump()}{broker.model_dump_json()}"
    assert PASSWORD not in said
    assert KEY_PASSWORD not in said
    assert for_aiokafka(broker)["sasl_plain_password"] == for_kafka_python(broker)["sasl_plain_password"] == PASSWORD


Way = Callable[[SecuredKafka, Path], dict[str, Any]]


def _plaintext(listener: str) -> Way:
    return lambda kafka, _: {"url": kafka.at(listener)}


def _word(kafka: SecuredKafka, word: str, file: Path) -> dict[str, Any]:
    file.write_text(word)
    return kafka.broker("oauth", token_file=str(file))


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (lambda k, _: k.broker("scram", password="secret-x"), "refuses user admin .SCRAM-SHA-512.*broker.password"),
        (lambda k, _: k.broker("plain", password="secret-x"), "refuses user admin .PLAIN.*broker.password"),
        (lambda k, _: k.broker("scram", user="nobody"), "refuses user nobody"),
        (lambda k, _: k.broker("scram", url=k.at("plain")), "does not take SCRAM-SHA-512"),
        (lambda k, _: k.broker("scram", ca_file=str(k.certificates.other_ca)), "signer must be in broker.ca_file"),
        (lambda k, _: k.broker("scram", ca_file=None), "set broker.ca_file"),
        (
            lambda k, _: k.broker("scram", url=k.at("scram").replace("localhost", "127.0.0.1")),
            "certificate of .* is for another name",
        ),
        (_plaintext("ssl"), "hangs up .*does it demand TLS"),
        (_plaintext("scram"), "hangs up .*does it demand TLS"),
        (_plaintext("clear"), "hangs up .*or a user"),
        (
            lambda k, _: k.broker("ssl", url=k.url.replace("127.0.0.1", "localhost")),
            "(?s)(hangs up|does not speak TLS).*security_protocol",
        ),
        (lambda k, _: k.broker("ssl", url=k.at("scram")), "or a user .sasl_ssl"),
        (lambda k, _: k.broker("scram", url=k.at("ssl")), "does not take SCRAM-SHA-512"),
        (lambda k, _: k.broker("ssl", url=k.at("mtls")), "demands a certificate .*certificate_file .none is set"),
        (lambda k, d: k.broker("oauth", token_file=str(d / "none")), "token_file cannot be read: .*No such file"),
        (lambda k, d: _word(k, "secret-x", d / "junk"), "hold a token that is valid now"),
        (
            lambda k, d: k.broker("oauth", token_file=str(k.token(d / "old", lives_s=-60))),
            "hold a token that is valid now",
        ),
    ],
)
def test_who_is_kept_out_hears_why_and_no_secret(
    secured_kafka: SecuredKafka, tmp_path: Path, way: Way, said: str
) -> None:
    broker = broker_of(**way(secured_kafka, tmp_path))
    with pytest.raises(BrokerError, match=said) as raised:
        raise cannot_connect(broker, RuntimeError("nothing was said"))
    assert "secret-x" not in str(raised.value)


def test_nobody_there_is_told_too() -> None:
    for url, said, may_pass in (
        ("127.0.0.1:9", "nothing listens", True),
        ("no-such-host.invalid:9092", "nobody knows the host", False),
        ("kafka", "is no address", False),
    ):
        why = asyncio.run(why_not(broker_of(url=url)))
        assert why is not None
        assert said in why.said
        assert why.may_pass == may_pass


def test_who_is_refused_is_told_at_once_and_who_finds_nobody_waits(secured_kafka: SecuredKafka) -> None:
    began = time.monotonic()
    with pytest.raises(BrokerError, match="refuses user"):
        knock(broker_of(**secured_kafka.broker("scram", password="wrong")), 30.0)
    assert time.monotonic() - began < 10.0
    began = time.monotonic()
    with pytest.raises(BrokerError, match="nothing listens"):
        knock(broker_of(url="127.0.0.1:9"), 1.0)
    assert time.monotonic() - began > 1.0


@pytest.mark.parametrize("listener", ["ssl", "mtls", "scram", "plain", "clear"])
def test_who_is_let_in_has_nothing_to_hear(secured_kafka: SecuredKafka, listener: str) -> None:
    assert asyncio.run(why_not(broker_of(**secured_kafka.broker(listener)))) is None
