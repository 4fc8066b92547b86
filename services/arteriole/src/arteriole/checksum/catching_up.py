"""Digesting what a journal lacks: several files at once, the largest first."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

from arteriole.checksum.digests import Meter, RawDigest, cause
from arteriole.checksum.journal import Journal
from arteriole.checksum.small_files import SmallFiles

#: Batches handed to each thread before it asks for them.
AHEAD = 2


def catch_up(
    folder: Path,
    journal: Journal,
    meter: Meter,
    small: SmallFiles,
    *,
    is_enough: Callable[[], bool] = lambda: False,
) -> None:
    """Read what `journal` lacks of `folder`, until there is nothing left, or it `is_enough`.

    What was read is in the journal, whatever happens.

    Args:
        small: has counted the listing.

    Raises:
        ChecksumError: a file cannot be read, or is not as it was listed.
    """
    running: set[Future[list[RawDigest]]] = set()
    with ThreadPoolExecutor(small.threads) as pool, closing(journal.lacking()) as batches:
        try:
            for batch in batches:
                if is_enough():
                    break
                running.add(pool.submit(small.digest, folder, batch, meter))
                if len(running) >= AHEAD * small.threads:
                    running = _take(journal, running)
            while running:
                running = _take(journal, running)
        except BaseException:  # NB: a stop too (SystemExit)
            meter.stop()
            pool.shutdown(cancel_futures=True)
            _keep(journal, running)
            raise
    journal.sync()


def _take(journal: Journal, running: set[Future[list[RawDigest]]]) -> set[Future[list[RawDigest]]]:
    """Wait for one, keep what is done; those that still run."""
    done, left = wait(running, return_when=FIRST_COMPLETED)
    failed = [error for one in done if (error := one.exception()) is not None]
    _keep(journal, done)
    if failed:
        raise cause(failed)
    return left


def _keep(journal: Journal, futures: set[Future[list[RawDigest]]]) -> None:
    for one in futures:
        if one.done() and not one.cancelled() and one.exception() is None:
            journal.add(one.result())
