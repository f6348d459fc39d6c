"""The users file: who may look, in which role and at which clients, by token or by what a proxy says of them. Pure."""

import hashlib
import hmac
import tomllib
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from schemas.errors import BadSettings
from schemas.readings import Identifier
from streams.dashboard.access.tokens import hash_of, is_token
from streams.dashboard.viewer import Role, Viewer

#: It stands on feedback and in logs.
Name = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f\s](?:[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s])?$"
    ),
]
TokenHash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Name
    role: Role
    clients: Annotated[frozenset[Identifier], Field(min_length=1)] | Literal["all"]

    @property
    def may_see(self) -> frozenset[str] | None:
        """As a viewer has it."""
        return None if self.clients == "all" else self.clients


class User(_Entry):
    """A person or a program. Without tokens it comes in by a proxy alone."""

    tokens: tuple[TokenHash, ...] = ()

    @property
    def viewer(self) -> Viewer:
        """What they are once they are let in."""
        return Viewer(self.name, self.role, self.may_see)


class Group(_Entry):
    """What a proxy calls a group of users."""


class Users(BaseModel):
    """All that the file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for what, found in (
            ("user", [user.name for user in self.users]),
            ("group", [group.name for group in self.groups]),
            ("token hash", [one for user in self.users for one in user.tokens]),
        ):
            if twice := sorted({one for one in found if found.count(one) > 1}):
                raise ValueError(f"{what} {twice[0]} is there twice; each has one entry")
        if not self.users and not self.groups:
            raise ValueError("it names nobody; `wellsentry token NAME` writes an entry")
        return self

    def by_token(self, token: str) -> tuple[User, str] | None:
        """Whose token it is, and its key. It takes as long whoever it is, and as long if it is nobody's."""
        if not is_token(token):
            return None
        hashed, found = hash_of(token), None
        for user in self.users:
            for known in user.tokens:
                if hmac.compare_digest(hashed, known):
                    found = user, key_of(known)
        return found

    def by_key(self, name: str, key: str) -> User | None:
        """The user of that name, if they still have the token of ``key``."""
        for user in self.users:
            if user.name == name:
                return user if any(key_of(known) == key for known in user.tokens) else None
        return None

    def by_proxy(self, name: str, groups: Iterable[str]) -> Viewer | None:
        """Who a proxy says it is: by their own entry or, without one, by the first group in the file that they are in."""
        for user in self.users:
            if user.name == name:
                return user.viewer
        theirs = set(groups)
        for group in self.groups:
            if group.name in theirs:
                return Viewer(name, group.role, group.may_see)
        return None


def key_of(token_hash: str) -> str:
    """Names a token without telling its hash.

    >>> key_of("sha256:" + "0" * 64)
    'e191bc1aec7e9a1d'
    """
    return hashlib.sha256(token_hash.encode()).hexdigest()[:16]


def users_of(text: str, file: str) -> Users:
    """What the users file ``file`` says. Raises :class:`BadSettings` that names the entry and what is wrong with it."""
    try:
        return Users.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"users file {file} is no TOML: {error}. docs/dashboard.md shows one") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise BadSettings(f"users file {file} cannot be used: {wrong}. docs/dashboard.md shows one") from error


def entry_of(name: str, role: str, clients: Sequence[str] | Literal["all"], token_hash: str) -> str:
    """A user's entry, as the users file has it. Raises :class:`BadSettings` where it would not be one."""
    entry = {"name": name, "role": role, "clients": clients, "tokens": [token_hash]}
    text = tomli_w.dumps({"users": [entry]})
    users_of(text, "to be")
    return text
