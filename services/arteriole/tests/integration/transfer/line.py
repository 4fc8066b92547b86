"""A bad line to a server: it forwards TCP connections, and cuts, forgets or garbles them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PIECE = 1 << 14


@dataclass
class Line:
    """What it does may be changed at any time, for the connections that follow.

    Attributes:
        cut_after: so many bytes towards the server are forwarded, then the connection ends.
        half: only the client sees that end; the server waits until `hang_up`.
        garble_at: the byte of this number towards the server, of each connection, has a bit
            flipped.
        sent: the bytes that went towards the server.
    """

    target: int
    port: int = 0
    cut_after: int | None = None
    half: bool = False
    garble_at: int | None = None
    sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    sockets: list[socket.socket] = field(default_factory=list)

    def mend(self) -> None:
        self.cut_after = self.garble_at = None
        self.sent = 0

    def hang_up(self) -> None:
        """End whatever is still open."""
        for one in self.sockets:
            _end(one)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.sockets += [client, server]
            for deed, *ends in ((self._towards, client, server), (self._back, server, client)):
                threading.Thread(target=deed, args=ends, daemon=True).start()

    def _towards(self, client: socket.socket, server: socket.socket) -> None:
        cut_after, garble_at, passed = self.cut_after, self.garble_at, 0
        with suppress(OSError):
            while piece := client.recv(PIECE):
                if cut_after is not None and passed + len(piece) > cut_after:
                    _end(client)
                    if self.half:
                        return
                    break
                if garble_at is not None and passed <= garble_at < passed + len(piece):
                    changed = bytearray(piece)
                    changed[garble_at - passed] ^= 0x10
                    piece = bytes(changed)
                server.sendall(piece)
                passed += len(piece)
                with self.lock:
                    self.sent += len(piece)
        _end(server)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(PIECE):
                client.sendall(piece)
        _end(client)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def line(target: int) -> Iterator[Line]:
    """A line to port `target` of 127.0.0.1."""
    made = Line(target)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made.port = listener.getsockname()[1]
        thread = threading.Thread(target=made.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            made.hang_up()
            for one in made.sockets:
                one.close()
