"""The gate's rules, as the settings say."""

import ipaddress
import secrets
import time
import uuid
from pathlib import Path
from typing import Final

from schemas.errors import BadSettings
from streams.dashboard.access.arrival import Proxies
from streams.dashboard.access.cookies import Cookies
from streams.dashboard.access.gate import Rules
from streams.dashboard.access.identity import KnowsNobody, KnowsUsers
from streams.dashboard.access.limits import Limits
from streams.dashboard.access.sessions import Sessions
from streams.dashboard.access.signing_in import SigningIn
from streams.dashboard.access.users import Users
from streams.dashboard.access.users_file import UsersFile
from streams.log import get_logger
from streams.settings import DashboardSettings

log = get_logger(__name__)

_SECRET_BYTES: Final = 32


def require_sign_in_beyond_this_machine(settings: DashboardSettings) -> None:
    """Raises :class:`BadSettings` where others could come without being asked who they are."""
    if settings.users_file is None and not _is_this_machine(settings.host):
        raise BadSettings(
            f"dashboard.host is {settings.host}, so others than this machine could come, and nobody would be asked who they "
            "are: set dashboard.users_file (`wellsentry token NAME` writes its entries), or listen at 127.0.0.1"
        )


def rules_of(settings: DashboardSettings) -> Rules:
    """Raises :class:`BadSettings` where the users file cannot be used."""
    require_sign_in_beyond_this_machine(settings)
    limits = Limits(
        settings.requests_per_s,
        settings.answers_per_min,
        settings.sockets,
        settings.sockets_of_a_viewer,
        time.monotonic,
    )
    proxies = Proxies(
        [ipaddress.ip_network(one) for one in settings.trusted_proxies],
        settings.proxy_user_header,
        settings.proxy_groups_header,
    )
    hosts = frozenset(settings.hosts)
    if settings.users_file is None:
        return Rules(KnowsNobody(), None, proxies, hosts, limits, _nonce)
    file = UsersFile(Path(settings.users_file), time.monotonic)
    sessions = Sessions(_secret(settings), settings.session_hours * 3600, time.time, lambda: uuid.uuid4().hex)
    cookies = Cookies(always_secure=settings.cookie_secure == "always")

    def users() -> Users:
        return file.users

    signing_in = SigningIn(users, sessions, cookies, limits)
    return Rules(KnowsUsers(users, sessions, cookies), signing_in, proxies, hosts, limits, _nonce)


def _secret(settings: DashboardSettings) -> str:
    if settings.session_secret is not None:
        return settings.session_secret.get_secret_value()
    log.info(
        "sessions end with this process: dashboard.session_secret is not set, so a random one is used",
        action="session_secret",
    )
    return secrets.token_hex(_SECRET_BYTES)


def _nonce() -> str:
    return secrets.token_urlsafe(16)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
