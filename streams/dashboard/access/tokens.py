"""Tokens: long enough that none is ever guessed, so one fast hash of them is all that is kept. Pure.

A password that a person thinks of would need a slow hash; what is no token of ours is therefore not even looked up.
"""

import base64
import hashlib
import re
from typing import Final

#: Before each of them, so that one that was published by mistake is found.
PREFIX: Final = "wellsentry_"
RANDOM_BYTES: Final = 32
_FORM: Final = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}", re.ASCII)
_ALGORITHM: Final = "sha256:"


def token_of(random_bytes: bytes) -> str:
    """The token of 32 bytes that nobody can foresee.

    >>> token_of(bytes(32))
    'wellsentry_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    """
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"a token is made of {RANDOM_BYTES} bytes, not {len(random_bytes)}")
    return PREFIX + base64.urlsafe_b64encode(random_bytes).decode().rstrip("=")


def is_token(text: str) -> bool:
    """Whether ``text`` looks like one."""
    return _FORM.fullmatch(text) is not None


def hash_of(token: str) -> str:
    """What is kept of it.

    >>> hash_of("wellsentry_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")[:20]
    'sha256:643484424a0aa'
    """
    return _ALGORITHM + hashlib.sha256(token.encode()).hexdigest()
