"""Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body, so that a receiver knows who sent it, and when."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Final

_PREFIX: Final = "whsec_"


def key_of(secret: str) -> bytes:
    """The key in ``whsec_`` and base64 of 24 to 64 bytes. Raises ValueError, which does not show the secret."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(
            "a secret is whsec_ and 24 to 64 random bytes in base64; make one as docs/notifications.md shows"
        )
    return key


def signed_headers(keys: Sequence[bytes], notice_id: str, epoch_s: int, body: bytes) -> dict[str, str]:
    """The three headers; a signature for each of ``keys``.

    >>> headers = signed_headers([b"0" * 24], "inc-load-3-1234-0-opened", 1795488250, b"{}")
    >>> headers["webhook-signature"]
    'v1,Fm5r7z4EOFxZWXSORKHNcmitf6gkbGDjtoSvLeKgjhI='
    """
    signed = f"{notice_id}.{epoch_s}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": str(epoch_s),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
