"""A fake of Slack's incoming webhooks: a real HTTP server that is as strict as Slack.

Source: https://api.slack.com/messaging/webhooks: POST, JSON, an object with `text`; answers `ok` as
text, 400 `invalid_payload` or `no_text`, 403, 404 `no_service`, 413, 429 with Retry-After.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Slack cuts a longer text off.
LONGEST_TEXT = 40_000
PATH = "/services/T000/B000/secret"


class FakeSlack:
    """Listens until `stop`; `answers` are statuses to be given first, whatever was sent."""

    def __init__(self, *answers: int) -> None:
        self.texts: list[str] = []
        self.refused: list[str] = []
        self.posts = 0
        self._answers = list(answers)
        self._arrived = threading.Condition()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                status, word = fake._take(self.command, self.path, self.headers, self.rfile, length)
                self.send_response(status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(word)))
                self.end_headers()
                self.wfile.write(word.encode())

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{PATH}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(
        self, method: str, path: str, headers: Any, body: Any, length: int
    ) -> tuple[int, str]:
        status, word = self._judged(method, path, headers, body.read(length))
        with self._arrived:
            self.posts += 1
            if self._answers:
                status, word = self._answers.pop(0), "not now"
            elif status != 200:
                self.refused.append(word)
            else:
                self.texts.append(word)
                word = "ok"
            self._arrived.notify_all()
        return status, word

    @staticmethod
    def _judged(method: str, path: str, headers: Any, body: bytes) -> tuple[int, str]:
        """200 and the text, or what Slack answers."""
        if path != PATH:
            return 404, "no_service"
        if method != "POST":
            return 405, "method_not_allowed"
        if headers.get_content_type() != "application/json" or "Authorization" in headers:
            return 400, "invalid_payload"
        try:
            payload = json.loads(body)
        except ValueError:
            return 400, "invalid_payload"
        if not isinstance(payload, dict) or set(payload) != {"text"}:
            return 400, "invalid_payload"
        text = payload["text"]
        if not isinstance(text, str) or not text.strip():
            return 400, "no_text"
        return (413, "msg_too_long") if len(text) > LONGEST_TEXT else (200, text)

    def wait_for(self, words: str, seconds: float = 60.0) -> str:
        """The first text that holds these words."""

        def found() -> list[str]:
            return [text for text in self.texts if words in text]

        with self._arrived:
            assert self._arrived.wait_for(found, seconds), (words, self.texts, self.refused)
            return found()[0]
