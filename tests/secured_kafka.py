"""Apache Kafka that demands something: TLS, a certificate, a user, a token. And rights of everybody but two."""

import base64
import json
import time
from pathlib import Path
from typing import Any, ClassVar

from streams.parts.kafka_jars import KafkaJars, format_data, java_command, server_properties
from streams.parts.ports import free_port
from tests.certificates import HOST, KEY_PASSWORD, Certificates, make_certificates

PASSWORD = "open-sesame-of-the-tests"
#: May do everything. Whoever comes by the plaintext listener may, too: that is how tests look on and give rights.
ADMIN = "admin"
#: May do what a test allows.
USERS = ("worker", "trainer", "sink", "feed", "explore", "tail", "audit", "replay", "feedback", "notifier", "maker")
#: A token is taken for so long, then the client must authenticate anew.
SESSION_S = 4

_LISTENERS = {
    "ssl": "SSL",
    "mtls": "SSL",
    "scram": "SASL_SSL",
    "plain": "SASL_SSL",
    "oauth": "SASL_SSL",
    "clear": "SASL_PLAINTEXT",
}
_MODULES = "org.apache.kafka.common.security"


class SecuredKafka(KafkaJars):
    """One broker, a listener for each way in. ``url`` is the plaintext one."""

    name: ClassVar[str] = "Apache Kafka with TLS and SASL"

    def __init__(self) -> None:
        super().__init__()
        self.ports: dict[str, int] = {}
        self._certificates: Certificates | None = None

    @property
    def certificates(self) -> Certificates:
        """Its own, its authority's, its clients'."""
        if self._certificates is None:
            self._certificates = make_certificates(self.directory / "certificates")
        return self._certificates

    def command(self, port: int) -> list[str]:
        """The broker's command; its directory is formatted the first time, with the users in it."""
        directory = self.directory
        taken = {port}
        for name in _LISTENERS:
            self.ports[name] = free_port(taken)
            taken.add(self.ports[name])
        properties = directory / "server.properties"
        written = server_properties(directory / "data", port, controller := free_port(taken))
        properties.write_text(written + self._security(port, controller))
        run_java = java_command(directory)
        if not (directory / "data").exists():
            users = [
                f"--add-scram=SCRAM-SHA-{bits}=[name={user},password={PASSWORD}]"
                for user in (ADMIN, *USERS)
                for bits in (256, 512)
            ]
            format_data(run_java, properties, *users)
        return [*run_java, "-Xmx512m", "-Xms256m", "kafka.Kafka", str(properties)]

    def at(self, listener: str) -> str:
        """The address of one of its listeners."""
        return f"{HOST}:{self.ports[listener]}"

    def token(self, file: Path, user: str = ADMIN, lives_s: float = 3600.0) -> Path:
        """``file``, holding a token of ``user``. Nobody signed it: Kafka takes such ones for tests."""
        now_s = time.time()
        claims = {"sub": user, "iat": now_s, "exp": now_s + lives_s}
        parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({"alg": "none"}, claims)]
        file.write_text(".".join(part.decode() for part in parts) + ".")
        return file

    def broker(self, listener: str, user: str = ADMIN, **more: Any) -> dict[str, Any]:
        """Settings of the broker for ``listener``; ``more`` stands above them, None takes one away."""
        found: dict[str, Any] = {
            "url": self.at(listener),
            "security_protocol": _LISTENERS[listener].lower(),
            "ca_file": str(self.certificates.ca),
        }
        if listener == "mtls":
            found |= {
                "certificate_file": str(self.certificates.client),
                "key_file": str(self.certificates.client_key),
                "key_password": KEY_PASSWORD,
            }
        elif listener == "oauth":
            found |= {"sasl_mechanism": "oauthbearer"}
        elif listener != "ssl":
            mechanism = {"scram": "scram-sha-512", "plain": "plain", "clear": "scram-sha-256"}[listener]
            found |= {"sasl_mechanism": mechanism, "user": user, "password": PASSWORD}
        if listener == "clear":
            del found["ca_file"]
        return {name: value for name, value in (found | more).items() if value is not None}

    def _security(self, port: int, controller_port: int) -> str:
        listeners = {name.upper(): at for name, at in self.ports.items()}
        opened = {"PLAINTEXT": port, **listeners}
        protocols = {"CONTROLLER": "PLAINTEXT", "PLAINTEXT": "PLAINTEXT"}
        protocols |= {name.upper(): protocol for name, protocol in _LISTENERS.items()}
        scram = f"{_MODULES}.scram.ScramLoginModule required;"
        plain = f'{_MODULES}.plain.PlainLoginModule required user_{ADMIN}="{PASSWORD}";'
        oauth = f'{_MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="{ADMIN}";'
        settings = {
            "listeners": ",".join(
                [f"CONTROLLER://127.0.0.1:{controller_port}", *(f"{n}://127.0.0.1:{at}" for n, at in opened.items())]
            ),
            "advertised.listeners": ",".join(
                f"{name}://{'127.0.0.1' if name == 'PLAINTEXT' else HOST}:{at}" for name, at in opened.items()
            ),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            "inter.broker.listener.name": "PLAINTEXT",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.certificates.broker,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.certificates.ca,
            "listener.name.mtls.ssl.client.auth": "required",
            "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.scram.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.scram.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.clear.sasl.enabled.mechanisms": "SCRAM-SHA-256",
            "listener.name.clear.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.plain.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.plain.plain.sasl.jaas.config": plain,
            "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.oauth.oauthbearer.sasl.jaas.config": oauth,
            "listener.name.oauth.oauthbearer.connections.max.reauth.ms": SESSION_S * 1000,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{ADMIN};User:CN=wellsentry-tests",
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())
