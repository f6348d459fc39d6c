"""`wellsentry notify --try`: one example to each target, and what came back."""

from collections.abc import AsyncIterator
from datetime import datetime

from schemas.incidents import Incident
from schemas.notice import IncidentNotice
from streams.build_info import build_info
from streams.notifier.outcome import Outcome
from streams.notifier.running import senders
from streams.settings import Settings


async def try_targets(settings: Settings, now: datetime) -> AsyncIterator[tuple[str, str, Outcome]]:
    """Each target's name and place, and what became of the example that was sent to it."""
    example = example_notice(now, settings.notifier.dashboard_url)
    async with senders(settings) as found:
        for name, sender in found.items():
            yield name, sender.place, await sender.tell(f"inc-example-{int(now.timestamp())}", example)


def example_notice(now: datetime, dashboard_url: str | None) -> IncidentNotice:
    """An incident that never was, of a machine that is called example."""
    build = build_info()
    return IncidentNotice(
        type="incident.example",
        timestamp=now,
        link=dashboard_url,
        data=Incident(
            incident_id="inc-example",
            state="opened",
            client_id="example",
            machine_id="example",
            stack="load",
            opened_at=now,
            closed_at=None,
            label_id="example",
            feature="load",
            direction="high",
            actual=112.5,
            expected_low=90.0,
            expected_high=105.0,
            peak_surprise=3.2,
            peak_at=now,
            readings=1,
            model_digest=None,
            model_rung=None,
            code_version=build.version,
            git_commit=build.git_commit,
        ),
    )
