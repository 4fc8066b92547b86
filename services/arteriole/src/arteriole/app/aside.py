"""Work that may hang, such as a look at a file server: each in a thread of its own.

The threads of asyncio's own pool are few, and the end of a process waits for them: one mount that
hangs would stop everything else. These are left behind.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from arteriole.app.errors import ArterioleError

T = TypeVar("T")

#: Seconds in which the storage must answer what a request asks of it.
PATIENCE = 30.0
#: So many threads may be left behind by requests; then it is known that nothing answers.
LEFT_AT_MOST = 32

_left: set[threading.Thread] = set()


class SilentError(ArterioleError):
    """The storage does not answer."""

    code = "storage.silent"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "the file system does not answer; nothing was changed",
            hint="look at the mounts and at the file server, then ask again",
        )


async def aside(function: Callable[..., T], *args: Any) -> T:
    """What `function(*args)` returns or raises, without a limit of time."""
    future, _ = _begun(function, args)
    return await future


async def answered(function: Callable[..., T], *args: Any, limit: float = PATIENCE) -> T:
    """The same for a request.

    Raises:
        SilentError: not within `limit` seconds, or too many have waited in vain already.
    """
    _left.difference_update([thread for thread in _left if not thread.is_alive()])
    if len(_left) >= LEFT_AT_MOST:
        raise SilentError
    future, thread = _begun(function, args)
    try:
        return await asyncio.wait_for(future, limit)
    except TimeoutError as err:
        if not future.cancelled():  # it is the function's own
            raise
        _left.add(thread)
        raise SilentError from err


def _begun(
    function: Callable[..., T], args: tuple[Any, ...]
) -> tuple[asyncio.Future[T], threading.Thread]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def tell(deed: Callable[[Any], None], value: object) -> None:
        if not future.done():  # nobody waits any more
            deed(value)

    def work() -> None:
        deed: Callable[[Any], None]
        value: object
        try:
            deed, value = future.set_result, context.run(function, *args)
        except BaseException as err:
            deed, value = future.set_exception, err
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, deed, value)

    thread = threading.Thread(target=work, name=f"aside-{function.__name__}", daemon=True)
    thread.start()
    return future, thread
