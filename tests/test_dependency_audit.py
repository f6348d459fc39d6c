"""The dependency audit fails for what nobody accepted, and goes on where there is no database to ask."""

import doctest
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from streams.parts.ports import free_port
from tools import dependency_audit

LOCK = "good==1.0 \\\n    --hash=sha256:00\nbad==2.0 ; python_version < '4' \\\n    --hash=sha256:00\n"


@pytest.fixture
def database() -> Iterator[str]:
    """Knows of one vulnerability: OLD-1 in bad 2.0."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            known = [{"vulns": [{"id": "OLD-1"}]} if one["package"]["name"] == "bad" else {} for one in asked]
            body = json.dumps({"results": known}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with HTTPServer(("127.0.0.1", free_port()), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "some.lock"
    file.write_text(LOCK)
    return file


@pytest.mark.parametrize(
    ("accepted", "status", "said"),
    [
        ("", 1, "bad 2.0: OLD-1, not accepted"),
        ('OLD-1 = "never called"', 0, "accepted: never called"),
        ('OLD-1 = "never called"\nGONE-2 = "once"', 0, "GONE-2 is accepted but is not there any more"),
    ],
)
def test_what_is_known_and_not_accepted_fails(
    database: str, lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], accepted: str, status: int, said: str
) -> None:
    (tmp_path / "accepted.toml").write_text(accepted)
    given = [str(lock), "--database", database, "--accepted", str(tmp_path / "accepted.toml")]
    assert dependency_audit.main(given) == status
    assert said in capsys.readouterr().out


def test_without_a_database_it_says_so_and_goes_on(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    assert dependency_audit.main([str(lock), "--database", f"http://127.0.0.1:{free_port()}"]) == 0
    assert "left out" in capsys.readouterr().out
    assert time.monotonic() - began < 10


def test_the_lock_is_read_whole() -> None:
    lines = (dependency_audit.ROOT / "requirements.lock").read_text().splitlines()
    assert len(dependency_audit.locked("\n".join(lines))) == sum(line[:1].isalnum() for line in lines) > 50
    assert doctest.testmod(dependency_audit).failed == 0
