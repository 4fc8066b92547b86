from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from arteriole.app.store import Store
from arteriole.jobs.queue import JobQueue


@pytest.fixture
def open_queue(tmp_path: Path) -> Iterator[Callable[[str], JobQueue]]:
    """Queues of services, each in a store of its own, `<service>.sqlite`."""
    with ExitStack() as stack:

        def opened(service: str) -> JobQueue:
            store = Store(tmp_path / f"{service}.sqlite", "arteriole.jobs.sql")
            return JobQueue(stack.enter_context(closing(store)), service)

        yield opened
