"""The examples of REST in docs/contract.md run."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from streams.label_store import LabelStore
from tests.conftest import MakeSettings
from tests.dashboard_at_hand import dashboard, incident, label, records
from tests.parts import do_without
from tests.topics_at_hand import AtHand

CONTRACT = Path(__file__).parents[2] / "docs" / "contract.md"
INCIDENT = "inc-load-0-9-0"


def test_the_examples_of_the_contract_run_and_show_what_they_say(
    embedded_broker_url: str, embedded_aws_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        do_without("curl is not installed")
    settings = make_settings(embedded_broker_url, embedded_aws_url)
    topics = at(settings)
    labels = [
        label("well-1", 8),
        label("well-1", 9, surprise=5.2, label="anomalous", alert="opened", incident_id=INCIDENT),
    ]
    topics.send(settings.topics.labels.name, records(labels))
    topics.send(settings.topics.incidents.name, records([incident("well-1", 9)]))
    with LabelStore(settings.dynamodb) as store:
        store.ensure_table()
        store.write(labels)
    examples = re.findall(r"```sh\n# ([^\n]*)\n(.*?)```", CONTRACT.read_text(), re.DOTALL)
    shows: dict[str, Callable[[str], bool]] = {
        "the machines": lambda said: '"state":"incident"' in said,
        "a machine,": lambda said: '"label_id":"load-0-8-0"' in said and '"open_incidents":[{' in said,
        "incidents that": lambda said: INCIDENT in said,
        "an answer": lambda said: '"feedback_id":"shift-7-well-1"' in said and '"by":"somebody"' in said,
        "taken back": lambda said: '"undoes":"shift-7-well-1"' in said,
        "everything": lambda said: said.count("event: label") == 1,
        "incidents and": lambda said: said.count("event: incident") == 1 and said.count("event: feedback") == 2,
    }
    assert len(shows) == len(examples)
    with dashboard(settings, tmp_path) as (url, _):
        for about, script in examples:
            done = subprocess.run(
                ["bash", "-ec", script.replace("--max-time 5", "--max-time 1.5")],
                env={"BOARD": f"{url}/api/v1", "PATH": "/usr/bin:/bin"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{about}: {done.stdout}{done.stderr}"
            (holds,) = (found for begin, found in shows.items() if about.startswith(begin))
            assert holds(done.stdout), f"{about}: {done.stdout}"
