"""What people ask of a month, and whether the answers are right: commands that only look."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.month.asking import Ask, InProcesses, Row, Said, row
from bench.month.labels import Labels
from schemas.times import iso, to_ms
from streams.replay.bookmark import Work

#: Of so many simulated readings at most one has no value at all.
_SELDOM = 10_000


@dataclass(frozen=True, slots=True)
class Month:
    """What there is to ask about."""

    directory: Path  # where commands are run
    client: str
    wells_client: str
    wells: Path  # files as they are
    moved_wells: Path  # the same, their times moved to the end of the month
    until_ms: int  # event time of the month's end
    began_ms: int  # when the first reading came to Kafka, and the last one
    ended_ms: int
    readings: int
    wells_readings: int
    labels: Mapping[str, Labels]

    @property
    def clients(self) -> tuple[str, str]:
        """Both."""
        return self.client, self.wells_client


def audited(month: Month, ask: Ask) -> Iterator[Row]:
    """Nothing is lost before anybody looks."""
    said = ask(["audit", "--json"])
    found: Any = said.json if said.out.startswith("{") else {"balances": [], "stored": 0}
    seen = ", ".join(
        f"{one['readings']:,} readings = {one['labels']:,} labels + {one['held']} held + {one['rejected']} rejected"
        for one in found["balances"]
    )
    came = [one["readings"] for one in found["balances"]] == [month.readings + month.wells_readings]
    yield row("audit", said, f"{seen}; {found['stored']:,} in DynamoDB", is_right=said.status == 0 and came)


def reproduced(month: Month, ask: Ask) -> Iterator[Row]:
    """Labels chosen at random, by their ids and out of DynamoDB, and an incident of each client."""
    for client in month.clients:
        its = month.labels[client]
        said = [ask(["reproduce", one.label_id, "--json"]) for one in its.chosen]
        yield _identical(f"reproduce ID, {client}", said)
        given = []
        for one in its.chosen[:3]:
            within = ["--from", one.event_time, "--to", iso(to_ms(one.event_time) + 1)]
            listed = ask(["labels", one.machine_id, "--client", client, *within, "--revisions", "--json"])
            line = next((line for line in listed.out.splitlines() if f'"{one.label_id}"' in line), "")
            (file := month.directory / "given.json").write_text(line)
            again = ask(["reproduce", str(file), "--json"])
            given.append(Said(again.status, again.out, again.err, listed.seconds + again.seconds))
        yield _identical(f"labels MACHINE, reproduce FILE, {client}", given)
        if its.incidents:
            yield _identical(f"reproduce INCIDENT, {client}", [ask(["reproduce", min(its.incidents), "--json"])])


def _identical(command: str, said: list[Said]) -> Row:
    outcomes = [one.json["outcome"] if one.out.startswith("{") else "nothing" for one in said]
    same = outcomes.count("identical")
    return row(command, said, f"{same} of {len(said)} identical", is_right=same == len(said))


def replayed(month: Month, ask: Ask) -> Iterator[Row]:
    """A machine, a client, all; by time and by offset; to a file and to a side topic; compared."""
    middle = (month.began_ms + month.ended_ms) // 2
    quarter = (month.ended_ms - month.began_ms) // 4
    machine = month.labels[month.client].chosen[0].machine_id
    partition, offset = month.labels[month.client].chosen[0].label_id.rsplit("-", 3)[1:3]
    everything = sum(its.count for its in month.labels.values())
    stretch = ["--from", iso(middle - quarter), "--to", iso(middle + quarter)]
    places = ["--partition", partition, "--from-offset", offset, "--to-offset", str(int(offset) + 20_000)]
    yield _same("replay, all, to a file", ask(["replay", "--diff", "--json", "--output", "all.jsonl"]), everything)
    yield _same("replay MACHINE", ask(["replay", machine, "--client", month.client, "--diff", "--json"]), 1)
    yield _same("replay MACHINE --from --to", ask(["replay", machine, *stretch, "--diff", "--json"]), 1)
    yield _same("replay --partition --from-offset --to-offset", ask(["replay", *places, "--diff", "--json"]), 1)
    options = ["--client", month.wells_client, "--page", "wells.html", "--json", "--topic", "beside-it"]
    told = ask(["replay", *options])
    page = month.directory / "wells.html"
    yield _same(
        "replay --client, real wells, to a side topic, with a page", told, month.labels[month.wells_client].count
    )
    yield row("", told, f"the page has {page.stat().st_size:,} bytes", is_right=page.stat().st_size > 1_000)
    other = ask(
        ["replay", machine, "--client", month.client, "--detector", "load=isolation_forest", "--diff", "--json"]
    )
    found = other.json if other.out.startswith("{") else {"changed": 0, "labels_then": 0}
    seen = f"{found['changed']:,} of {found['labels_then']:,} labels are others"
    yield row(
        "replay --detector load=isolation_forest", other, seen, is_right=other.status == 1 and found["changed"] > 0
    )


def _same(command: str, said: Said, at_least: int) -> Row:
    found = (
        said.json
        if said.out.startswith("{")
        else {"identical": 0, "labels_then": 0, "changed": 0, "missing": 0, "new": 0}
    )
    others = {name: found[name] for name in ("changed", "missing", "new") if found[name]}
    seen = f"{found['identical']:,} of {found['labels_then']:,} identical"
    if others:
        seen += f", {others}"
    is_right = said.status == 0 and found["identical"] == found["labels_then"] >= at_least
    return row(command, said, seen, is_right=is_right)


def killed_and_gone_on(month: Month, ask: InProcesses) -> Iterator[Row]:
    """A replay killed with -9 goes on where it was, and writes what one that was left alone wrote."""
    arguments = ["replay", "--output", "killed.jsonl"]
    work = Work(month.directory / "killed.jsonl.replay")
    was_killed = ask.kill_once(arguments, lambda: (kept := work.bookmark()) is not None and kept.labels > 0)
    said = ask(arguments)
    same = _sha256(month.directory / "killed.jsonl") == _sha256(month.directory / "all.jsonl")
    seen = "killed amid it" if was_killed else "it ended too soon to be killed"
    seen += ", then the same file as without" if same else ", then ANOTHER file"
    yield row("replay, killed with -9, asked again", said, seen, is_right=was_killed and same)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def explored(month: Month, ask: Ask) -> Iterator[Row]:
    """The month off its topic, the wells off theirs, and the wells' own files."""
    for client, readings in ((month.client, month.readings), (month.wells_client, month.wells_readings)):
        said = ask(["explore", "--client", client, "--output", f"{client}.html"])
        yield _explored(f"explore --client {client}", said, month.directory / f"{client}.json", readings)
    said = ask(["explore", str(month.wells), "--output", "files.html"])
    yield _explored("explore FILES", said, month.directory / "files.json", month.wells_readings)


def _explored(command: str, said: Said, at: Path, readings: int) -> Row:
    found = json.loads(at.read_text()) if at.exists() else {"machines": [], "findings": []}
    seen = sum(one["readings"] + one["repeated"] for one in found["machines"])
    empty = readings - seen
    line = f"{len(found['machines'])} machines, {seen:,} readings ({empty} without any value)"
    return row(command, said, line, is_right=said.status == 0 and 0 <= empty <= readings // _SELDOM)


def models_looked_at(month: Month, ask: Ask) -> Iterator[Row]:
    """Which models there are, one of them, two compared, all verified."""
    for client in month.clients:
        said = ask(["models", "list", "--client", client, "--all", "--json"])
        found = said.json if said.status == 0 else []
        in_force = sum(bool(one["in_force"]) for one in found)
        yield row(
            f"models list --client {client}", said, f"{in_force} models in force", is_right=in_force == len(found) > 1
        )
    machine = month.labels[month.client].chosen[0].machine_id
    said = ask(["models", "list", machine, "--client", month.client, "--json"])
    digests = [one["digest"] for one in said.json]
    yield row("models list MACHINE", said, f"{len(digests)} models", is_right=len(digests) > 1)
    shown = ask(["models", "show", digests[0], "--client", month.client, "--machine", machine, "--plot", "model.png"])
    yield row("models show", shown, f"{len(shown.out.splitlines())} lines and a picture", is_right=shown.status == 0)
    differ = ask(["models", "diff", digests[-1], digests[0], "--client", month.client, "--machine", machine, "--json"])
    seen = f"{len(differ.json['differences'])} differences" if differ.status == 0 else "nothing"
    yield row("models diff", differ, seen, is_right=differ.status == 0)
    verified = ask(["models", "verify"])
    yield row("models verify", verified, verified.out.strip().splitlines()[-1], is_right=verified.status == 0)


def handled(month: Month, ask: Ask) -> Iterator[Row]:
    """Looks back at machines of the month, off the topic, and at real wells, off their files."""
    machine = month.labels[month.client].chosen[0].machine_id
    for days in (7, 30):
        yield _handled(month, ask, f"handle, topic, {days} days", machine, month.client, days, [], None)
    well = sorted(month.wells.glob("*.csv"))[-1]
    rows = len(well.read_text().splitlines()) - 1
    yield _handled(month, ask, "handle, a well's file", well.stem, "semi", 1, ["--source", str(month.wells)], rows)


def _handled(
    month: Month, ask: Ask, command: str, machine: str, client: str, days: int, options: list[str], labels: int | None
) -> Row:
    event = {"client_id": client, "machine_id": machine, "lookback": days}
    if labels is not None:
        stamp = machine.split("_")[1]
        event["to_time"] = f"{stamp[:4]}-{stamp[4:6]}-{int(stamp[6:8]) + 1:02}T00:00:00Z"
    (file := month.directory / "event.json").write_text(json.dumps(event))
    said = ask(["handle", str(file), *options])
    found = json.loads(said.out.splitlines()[-1]) if said.status == 0 else {"labels": [], "status": "nothing"}
    count, anomalous = len(found["labels"]), found["labels"].count(-1)
    is_right = found["status"] == "ok" and (count == labels if labels is not None else count > 0)
    return row(command, said, f"{count:,} labels, {anomalous:,} anomalous", is_right=is_right)
