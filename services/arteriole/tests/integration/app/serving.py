"""A service on a free port, in a thread with its own event loop."""

import asyncio
import threading
import time

import requests

from arteriole.app.application import Application, run_until_cancelled

#: Seconds; generous, since a busy machine is no failure.
DEADLINE = 90.0


def eventually(look, wanted=bool):
    """What `look()` returns once `wanted` holds of it."""
    end = time.monotonic() + DEADLINE
    while not wanted(found := look()):
        assert time.monotonic() < end, f"still {found!r}"
        time.sleep(0.02)
    return found


class Serving:
    """`make` is called in the thread, since a store belongs to the thread that opened it."""

    def __init__(self, make, tokens=None, chat=None, port=0):
        self._make, self._tokens, self._chat, self.port = make, tokens, chat, port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._ready.wait(DEADLINE)
        self.url = f"http://127.0.0.1:{self.port}"

    async def _run(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.application = application = Application(self._make(), self._tokens, self._chat)
        self.port = application.listen("127.0.0.1", self.port)
        task = asyncio.create_task(run_until_cancelled(application))
        self._ready.set()
        await self._stop.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def stop(self):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()

    def call(self, method, path, **more):
        return requests.request(method, self.url + path, timeout=DEADLINE, **more)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, json=None, **more):
        return self.call("POST", path, json=json, **more)
