"""A bad way to a server: an HTTP proxy that notes each request, answers 503, cuts, or garbles."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PIECE = 1 << 16
#: Of a connection, not of a message.
_HOP = ("connection", "expect", "transfer-encoding", "date", "server")


class Cut(Exception):
    """The connection ends here."""


@dataclass
class Proxy:
    """What it does may be changed at any time.

    Attributes:
        fails: is given the number of a request, from 1; True answers it with 503.
        left: bytes of bodies, both ways, after which every connection is cut; None: no limit.
        cuts: so many connections are cut, then it works again; None: all.
        forbids: methods that are answered with 403.
        garble: what becomes of each piece of a body, on its way there and back.
        asked: method and path of each request that came.
    """

    target: int
    port: int = 0
    fails: Callable[[int], bool] = lambda number: False
    left: int | None = None
    cuts: int | None = None
    forbids: tuple[str, ...] = ()
    garble: Callable[[str, bytes], bytes] = lambda way, piece: piece
    asked: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        self.fails, self.left, self.forbids = lambda number: False, None, ()
        self.garble = lambda way, piece: piece

    def note(self, method: str, path: str) -> bool:
        """True if the request is to be answered with 503."""
        with self.lock:
            self.asked.append((method, urlsplit(path).path))
            return self.fails(len(self.asked))

    def spend(self, count: int) -> None:
        """Cut if `count` bytes are too many."""
        with self.lock:
            if self.left is None:
                return
            self.left -= count
            if self.left >= 0:
                return
            if self.cuts is not None:
                self.cuts -= 1
                if self.cuts == 0:
                    self.left = None
            raise Cut

    def written(self) -> set[str]:
        """Paths that something was sent to."""
        return {path for method, path in self.asked if method in ("PUT", "POST")}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def forward(self) -> None:
        try:
            body = self._body()
            if self.proxy.note(self.command, self.path):
                self._fail(503, "ServiceUnavailable")
            elif self.command in self.proxy.forbids:
                self._fail(403, "AccessDenied")
            else:
                self._pass_on(body)
        except (Cut, OSError):
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

    def _body(self) -> bytes:
        rest, pieces = int(self.headers.get("Content-Length") or 0), []
        self.proxy.spend(0)
        while rest:
            piece = self.rfile.read(min(rest, PIECE))
            if not piece:
                raise Cut
            self.proxy.spend(len(piece))
            pieces.append(self.proxy.garble("there", piece))
            rest -= len(piece)
        return b"".join(pieces)

    def _fail(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _pass_on(self, body: bytes) -> None:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.target, timeout=60)
        with closing(connection):
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            if answer.length is None:  # it came in chunks: its end is that of the connection
                self.send_header("Connection", "close")
            self.end_headers()
            while piece := answer.read(PIECE):
                self.proxy.spend(len(piece))
                self.wfile.write(self.proxy.garble("back", piece))

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error here."""


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """A proxy before the server at port `target` of 127.0.0.1."""
    made = Proxy(target)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": made}))
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
