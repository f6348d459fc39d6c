"""Asks the OSV database which locked dependencies have a known vulnerability: python tools/dependency_audit.py [LOCK ...]

One request for each lock. Ends with status 1 if there is one that tools/accepted_vulnerabilities.toml does not give a reason
for. Where the database cannot be reached nothing is known: that is said, and the status is 0.
"""

import argparse
import http.client
import json
import re
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = ROOT / "tools" / "accepted_vulnerabilities.toml"
OSV = "https://api.osv.dev"
_WITHIN_S = 8.0

Package = tuple[str, str]  # name and version


def locked(text: str) -> list[Package]:
    """What a lock holds.

    >>> locked("# by make lock\\nnumpy==2.3.1 ; python_version > '3' \\\\\\n    --hash=sha256:00\\nrich==14.0.0\\n")
    [('numpy', '2.3.1'), ('rich', '14.0.0')]
    """
    return re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", text)


def known(packages: Sequence[Package], url: str) -> dict[Package, list[str]]:
    """The ids of the vulnerabilities of each package that has one. Raises OSError or ValueError if there is no answer."""
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages]
    request = urllib.request.Request(
        f"{url}/v1/querybatch", json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_WITHIN_S) as answer:
        results: list[Mapping[str, Any]] = json.load(answer)["results"]
    if len(results) != len(packages):
        raise ValueError(f"{len(results)} answers to {len(packages)} questions")
    return {
        package: [str(one["id"]) for one in result["vulns"]]
        for package, result in zip(packages, results, strict=True)
        if result.get("vulns")
    }


def report(found: Mapping[Package, Iterable[str]], accepted: Mapping[str, str]) -> tuple[list[str], bool]:
    """Lines to print, and whether all that was found is accepted."""
    lines, clean = [], True
    for (name, version), ids in sorted(found.items()):
        for one in sorted(ids):
            reason = accepted.get(one)
            clean = clean and reason is not None
            lines.append(f"{name} {version}: {one}, {f'accepted: {reason}' if reason else 'not accepted'}")
    all_ids = {one for ids in found.values() for one in ids}
    lines += [f"{one} is accepted but is not there any more: take it out" for one in accepted if one not in all_ids]
    return lines, clean


def main(arguments: Sequence[str]) -> int:
    """The program's exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("locks", nargs="*", type=Path, default=[ROOT / "requirements.lock"])
    parser.add_argument("--database", default=OSV, help="another one that speaks like OSV")
    parser.add_argument("--accepted", type=Path, default=ACCEPTED)
    options = parser.parse_args(arguments)
    packages = sorted({one for lock in options.locks for one in locked(lock.read_text())})
    try:
        found = known(packages, options.database)
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        print(f"dependency audit left out: {options.database} gives no answer ({reason})")
        return 0
    lines, clean = report(found, tomllib.loads(options.accepted.read_text()))
    print(*lines, f"{len(packages)} locked packages, {len(found)} with known vulnerabilities", sep="\n")
    if not clean:
        print(f"raise the version (make lock ARGS=--upgrade), or say in {options.accepted.name} why it does no harm")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
