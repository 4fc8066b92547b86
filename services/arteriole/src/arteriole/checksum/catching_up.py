"""Digesting what a journal lacks: several files at once, the largest first."""

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

from arteriole.checksum.digests import Meter, RawDigest, cause
from arteriole.checksum.errors import listed
from arteriole.checksum.journal import Journal
from arteriole.checksum.listing import FoundFile, written_to
from arteriole.checksum.small_files import SmallFiles
from arteriole.jobs.worker import note

#: Batches handed to each thread before it asks for them.
AHEAD = 2
#: So many times is read again what has another ctime after each reading.
AGAIN = 3


def digest_listed(
    folder: Path,
    journal: Journal,
    meter: Meter,
    small: SmallFiles,
    walk: Callable[[], Iterable[FoundFile]],
) -> None:
    """Read what `journal` lacks of its listing, until that is what there is.

    A file that was written again in place, and got its old time of writing, has another ctime.

    Args:
        walk: lists the files as they are now.

    Raises:
        ChecksumError: a file cannot be read, or any was written to meanwhile.
    """
    for reading in itertools.count(1):
        catch_up(folder, journal, meter, small)
        if names := journal.unlike(walk):
            raise written_to(folder, names)
        if not is_read_again(folder, journal.other_ctime(), reading):
            return
        meter.add(-journal.forget_other_ctime())


def is_read_again(folder: Path, names: list[str], reading: int) -> bool:
    """Whether there are files whose ctime is another after a reading, and are to be read again.

    After `AGAIN` times they are not: some file systems make it up. What is done is noted.
    """
    again = reading <= AGAIN
    if names:
        word = "read again" if again else "not read again"
        note(f"another ctime after reading {reading} of {folder}: {listed(names)}; {word}")
    return again and bool(names)


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
