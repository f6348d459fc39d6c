"""A webhook: a signed POST of a notice's JSON.

Where it goes is the operator's setting alone; a receiver cannot send it elsewhere, since redirects are not followed.
Certificates are always checked. Of an answer no more than a few hundred bytes are read, as they are: nothing is unpacked.
"""

import asyncio
import ssl
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import httpx

from schemas.errors import BadSettings
from schemas.notice import Notice
from streams.build_info import build_info
from streams.notifier.outcome import Outcome, outcome_of
from streams.notifier.signing import signed_headers
from streams.notifier.targets import TargetSettings, place_of

_MOST_ANSWER_BYTES: Final = 500


class Webhook:
    """Tells one target by HTTP."""

    def __init__(self, name: str, target: TargetSettings) -> None:
        assert target.url is not None
        self._url, self._keys, self._timeout_s = target.url.get_secret_value(), target.keys, target.timeout_s
        self.place = place_of(self._url)
        self._client = httpx.AsyncClient(
            verify=_trust(name, target.ca_file),
            follow_redirects=False,
            timeout=target.timeout_s,
            limits=httpx.Limits(max_connections=1),
            headers={
                "user-agent": f"wellsentry/{build_info().version}",
                "content-type": "application/json",
                "accept-encoding": "identity",
            },
        )

    async def tell(self, notice_id: str, notice: Notice) -> Outcome:
        """One try. Whatever the network does is in the outcome."""
        body = notice.model_dump_json().encode()
        headers = signed_headers(self._keys, notice_id, int(time.time()), body)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", self._url, content=body, headers=headers) as response,
            ):
                answer = await _beginning(response)
        except TimeoutError:
            return Outcome("try_again", f"no answer within {self._timeout_s:g} s")
        except httpx.HTTPError as error:
            return Outcome("try_again", _in_words(error))
        except (httpx.InvalidURL, httpx.CookieConflict, UnicodeError) as error:
            return Outcome("refused", f"cannot be asked ({type(error).__name__})")
        return outcome_of(response.status_code, response.headers.get("retry-after"), datetime.now(UTC), answer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()


async def _beginning(response: httpx.Response) -> str:
    found = b""
    async for chunk in response.aiter_raw():
        found += chunk[: _MOST_ANSWER_BYTES - len(found)]
        if len(found) >= _MOST_ANSWER_BYTES:
            break  # the connection is closed, and the rest never read
    return found.decode(errors="replace")


def _in_words(error: httpx.HTTPError) -> str:
    """Never the library's own: it may name the address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not to be trusted ({cause.verify_message})"
        cause = cause.__cause__ or cause.__context__
    kinds = {
        httpx.ConnectError: "cannot be reached",
        httpx.TimeoutException: "does not answer in time",
        httpx.RemoteProtocolError: "broke off, or speaks no HTTP",
        httpx.ReadError: "broke off",
        httpx.WriteError: "broke off",
        httpx.ProxyError: "the proxy does not let us through",
    }
    words = next((words for kind, words in kinds.items() if isinstance(error, kind)), "failed")
    return f"{words} ({type(error).__name__})"


def _trust(name: str, ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise BadSettings(
            f"notifier.targets.{name}.ca_file: {ca_file} cannot be used: {error.strerror or error}. It must be a PEM file "
            "with the certificate of who signed the receiver's."
        ) from error
