"""A target that apprise knows: mail, Slack, Teams, PagerDuty and a hundred others."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import apprise

from schemas.errors import BadSettings
from schemas.notice import Notice, StormNotice
from streams.notifier.outcome import Outcome
from streams.notifier.targets import TargetSettings
from streams.notifier.words import text_of, title_of


class ByApprise:
    """Tells one target by apprise, which says no more than whether it worked. A thread of its own: it blocks."""

    def __init__(self, name: str, target: TargetSettings) -> None:
        assert target.apprise is not None
        self._service = _service(name, target.apprise.get_secret_value())
        self.place = f"{self._service.service_name} (apprise)"
        self._timeout_s = target.timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"apprise-{name}")

    async def tell(self, notice_id: str, notice: Notice) -> Outcome:  # noqa: ARG002 - people have no use for an id
        """One try. One that takes too long is taken for failed; the next waits until it has ended."""
        loop = asyncio.get_running_loop()
        try:
            worked = await asyncio.wait_for(loop.run_in_executor(self._thread, self._send, notice), self._timeout_s)
        except TimeoutError:
            return Outcome("try_again", f"no answer within {self._timeout_s:g} s")
        return Outcome("told", "took it") if worked else Outcome("try_again", "did not take it")

    def _send(self, notice: Notice) -> bool:
        return bool(self._service.notify(body=text_of(notice), title=title_of(notice), notify_type=_kind(notice)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _kind(notice: Notice) -> apprise.NotifyType:
    if isinstance(notice, StormNotice):
        return apprise.NotifyType.FAILURE
    if notice.type == "incident.example":
        return apprise.NotifyType.INFO
    return apprise.NotifyType.WARNING if notice.data.state == "opened" else apprise.NotifyType.SUCCESS


def _service(name: str, url: str) -> Any:
    asset = apprise.AppriseAsset(app_id="wellsentry", app_desc="wellsentry", app_url="", http_redirects=False)
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        raise BadSettings(
            f"notifier.targets.{name}.apprise is no address that apprise {apprise.__version__} knows, or lacks a part; its "
            "documentation lists what each service needs"
        )
    if not service.verify_certificate:
        raise BadSettings(f"notifier.targets.{name}.apprise: certificates are always checked, take verify=no out of it")
    if service.redirects:
        raise BadSettings(f"notifier.targets.{name}.apprise: redirects are not followed, take redirect=yes out of it")
    return service
