"""When the command ends the hold; both services are one that answers what a row says."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from arteriole.client import Client
from arteriole.commands.accept_sheet import accept
from arteriole.commands.comparison import Comparisons

SHA, CODE = "5" * 64, "indexes.reversed_i5"
WORD = {"sha256": SHA, "code": CODE, "by": "ada", "first": "", "reason": "r", "job_id": 7}
DONE = {**WORD, "accepted": True, "written": False}


class Handler(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, Any]]
    posted: ClassVar[list[tuple[str, Any]]]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.posted.append((self.path.removeprefix("/api/1.0/"), body))
        self._answer()

    def _answer(self) -> None:
        found = self.answers[self.path.removeprefix("/api/1.0/").partition("?")[0]]
        data = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def handler() -> Iterator[tuple[type[Handler], Comparisons]]:
    class Answering(Handler):
        posted: ClassVar[list[tuple[str, Any]]] = []
        answers: ClassVar[dict[str, Any]] = {
            "runs/r1/sheet": {"source": "run_folder", "places": ["run_folder"]},
            "indexes/r1/accept": DONE,
            "status": {"jobs": [{}]},
            "runs/r1": {"held": None, "attempt": 0, "stages": []},
            "holds/release": {"released": True},
        }

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = Client(f"http://127.0.0.1:{server.server_port}", "")
        yield Answering, Comparisons("r1", client, client)
        server.shutdown()


@pytest.mark.parametrize(
    ("state", "diagnosis", "compared_again", "released"),
    [
        ("done", {"sheet_sha256": SHA, "code": ""}, False, True),
        ("done", {"sheet_sha256": SHA, "code": "indexes.ambiguous"}, False, False),
        ("done", {"sheet_sha256": "6" * 64, "code": ""}, True, False),
        ("error", None, True, False),
    ],
)
def test_the_hold_ends_if_the_accepted_sheet_was_compared_and_fits(
    handler: tuple[type[Handler], Comparisons],
    state: str,
    diagnosis: Any,
    compared_again: bool,
    released: bool,
) -> None:
    answering, comparisons = handler
    answering.answers["indexes/r1"] = {"job": {"state": state}, "diagnosis": diagnosis}
    assert accept(comparisons, "r") is not None
    where = [path for path, _ in answering.posted]
    assert where == [
        "indexes/r1/accept",
        *(["indexes/r1"] if compared_again else []),
        *(["holds/release"] if released else []),
    ]
    if released:
        reason = "the corrected sheet fits, accepted by ada: r"
        body = {"scope": "run", "name": "r1", "code": CODE, "reason": reason}
        assert answering.posted[-1][1] == body
