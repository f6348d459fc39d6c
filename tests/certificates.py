"""Certificates for one run of the tests: an authority, what it signed, and another authority that nobody trusts."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: The one name that the broker's certificate holds. Not 127.0.0.1, so that a wrong name can be tried.
HOST = "localhost"
KEY_PASSWORD = "key-password-of-the-tests"


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files."""

    ca: Path
    other_ca: Path
    broker: Path  # key and certificate
    client: Path  # certificate
    client_key: Path  # encrypted with KEY_PASSWORD


def make_certificates(directory: Path) -> Certificates:
    """All of them, in ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    ca_key, ca = _authority("wellsentry tests")
    _, other = _authority("somebody else")
    broker_key, broker = _signed("broker", ca_key, ca)
    client_key, client = _signed("wellsentry-tests", ca_key, ca)
    plain = serialization.NoEncryption()
    secret = serialization.BestAvailableEncryption(KEY_PASSWORD.encode())
    found = Certificates(*(directory / f"{name}.pem" for name in ("ca", "other-ca", "broker", "client", "client-key")))
    found.ca.write_bytes(_pem(ca))
    found.other_ca.write_bytes(_pem(other))
    found.broker.write_bytes(_key_pem(broker_key, plain) + _pem(broker) + _pem(ca))
    found.client.write_bytes(_pem(client))
    found.client_key.write_bytes(_key_pem(client_key, secret))
    return found


def _authority(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    begun = _begun(name, name, key)
    begun = begun.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    begun = begun.add_extension(
        x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        ),
        critical=True,
    )  # fmt: skip
    begun = begun.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return key, begun.sign(key, hashes.SHA256())


def _signed(
    name: str, ca_key: ec.EllipticCurvePrivateKey, ca: x509.Certificate
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    (issuer,) = ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    begun = _begun(name, str(issuer.value), key)
    begun = begun.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    begun = begun.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    return key, begun.sign(ca_key, hashes.SHA256())


def _begun(name: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=7))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
