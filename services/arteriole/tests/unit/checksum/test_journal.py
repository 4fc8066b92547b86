"""What a journal knows of files, over changes, ends and other jobs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.checksum import journal as journals
from arteriole.checksum.digests import PIECE
from arteriole.checksum.journal import LARGE, Journal, Mark, held
from arteriole.checksum.listing import FoundFile

A = FoundFile("a", 1, 2, 3, 4)
B = FoundFile("b", 10, 20, 30)
MADE = {"md5": b"m" * 16, "blake3": b"b" * 32}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journals" / "run.runfolder.sqlite"


def lacking(journal: Journal) -> list[str]:
    return [found.name for batch in journal.lacking() for found in batch]


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ([A, B], ["b"]),
        ([A._replace(size=2), B], ["a", "b"]),
        ([A._replace(mtime_ns=3), B], ["a", "b"]),
        ([A._replace(inode=4), B], ["a", "b"]),
        ([A._replace(ctime_ns=5), B], ["a", "b"]),
        ([A], []),
        ([B], ["b"]),
    ],
)
def test_a_digest_counts_while_its_file_is_as_it_was(
    path: Path, now: list[FoundFile], left: list[str]
) -> None:
    with held(path) as journal:
        journal.take_listing([A, B])
        assert lacking(journal) == ["a", "b"]
        journal.add([("a", MADE)])
    with held(path) as journal:
        journal.take_listing(now)
        assert lacking(journal) == left
        assert journal.count() == (len(now), sum(found.size for found in now))


def test_a_listing_of_a_part_forgets_nothing(path: Path) -> None:
    with held(path) as journal:
        journal.take_listing([A])
        journal.add([("a", MADE)])
        journal.take_listing([B], whole=False)
        assert (lacking(journal), journal.count()) == (["b"], (1, 10))
        journal.take_listing([A, B])
        assert (lacking(journal), journal.count_known()) == (["b"], (1, 1))


def test_the_largest_are_read_first_and_small_ones_as_they_lie(path: Path) -> None:
    sizes = {"a": 5, "b": LARGE, "c": LARGE + 1, "d": 3 * LARGE, "e": LARGE - 1, "f": 7}
    with held(path) as journal:
        journal.take_listing(FoundFile(name, size, 1) for name, size in sizes.items())
        batches = [[found.name for found in batch] for batch in journal.lacking()]
    assert batches == [["d"], ["c"], ["b"], ["a", "e"], ["f"]]


def test_the_smallest_come_in_batches_of_four_times_the_size(path: Path) -> None:
    for size, count in (PIECE, 16), (PIECE - 4096, 64):
        with held(path) as journal:
            journal.take_listing(FoundFile(f"{n:03}", size, 1) for n in range(100))
            assert len(next(journal.lacking())) == count


def test_what_differs_is_named(path: Path) -> None:
    with held(path) as journal:
        journal.take_listing([A, B])
        for now, names in [
            ([B, A], []),
            ([B, A._replace(ctime_ns=5)], []),
            ([A, B._replace(inode=1)], ["b"]),
            ([A, B._replace(mtime_ns=1)], ["b"]),
            ([A._replace(size=10), B._replace(size=1)], ["a", "b"]),
            ([B, FoundFile("c", 1, 1, 1)], ["a", "c"]),
            ([A], ["b"]),
            ([], ["a", "b"]),
        ]:
            assert journal.unlike(lambda now=now: now) == names, now


def test_a_file_with_another_ctime_is_listed_with_that_once_its_digest_is_forgotten(
    path: Path,
) -> None:
    now = [B, A._replace(ctime_ns=5)]
    with held(path) as journal:
        journal.take_listing([A, B])
        journal.add([("a", MADE), ("b", MADE)])
        assert journal.unlike(lambda: now) == [] and journal.other_ctime() == ["a"]
        assert journal.unlike(lambda: [A, B]) == [] and journal.other_ctime() == []
        assert journal.unlike(lambda: now) == [] and journal.forget_other_ctime() == A.size
        assert [found for batch in journal.lacking() for found in batch] == now[1:]
        assert journal.unlike(lambda: now) == [] and journal.other_ctime() == []


@pytest.mark.parametrize("field", ["size", "mtime_ns", "inode", "ctime_ns"])
def test_two_files_that_changed_places_are_no_equal_listing(field: str) -> None:
    def mark(of_a: int, of_b: int) -> Mark:
        made = Mark()
        for _ in made.of([A._replace(**{field: of_a}), B._replace(**{field: of_b})]):
            pass
        return made

    for number in range(1, 1000):
        assert mark(number, 0) == mark(number, 0) != mark(0, number)


def test_what_an_earlier_job_listed_is_compared_by_name(path: Path) -> None:
    with held(path) as journal:
        journal.take_listing([A, B])
    with held(path) as journal:
        assert journal.unlike(lambda: [B, A]) == []
        assert journal.unlike(lambda: [A]) == ["b"]


def test_a_time_that_it_cannot_hold_is_told(path: Path) -> None:
    with held(path) as journal:
        journal.take_listing([FoundFile("a", 1, -(1 << 63)), FoundFile("b", 1, (1 << 63) - 1)])
        for time in (1 << 63, -(1 << 63) - 1):
            with pytest.raises(ArterioleError, match=r"late/c is dated -?9223372037 s") as raised:
                journal.take_listing([A, FoundFile("late/c", 1, time)])
            assert raised.value.code == "checksum.time"


def test_an_inode_of_64_bits(path: Path) -> None:
    files = [A._replace(inode=(1 << 64) - 1), B._replace(inode=1 << 63)]
    with held(path) as journal:
        journal.take_listing(files)
        assert [found for batch in journal.lacking() for found in batch] == files
        assert journal.unlike(lambda: files) == []
        assert journal._differing(files) == []


def test_one_job_at_a_time_and_it_sees_who_waits(path: Path) -> None:
    with held(path, patient=False) as journal:
        assert not journal.is_wanted()
        with pytest.raises(ArterioleError) as raised, held(path, patient=False):
            pass
        assert raised.value.code == "job.busy"
        waiting = journals._lock_file(path.with_suffix(".wanted"))
        journals.fcntl.flock(waiting, journals.fcntl.LOCK_SH)
        assert journal.is_wanted()
        journals.os.close(waiting)
        assert not journal.is_wanted()
    with held(path):
        pass


def test_one_that_cannot_be_read_is_begun_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    with held(path) as journal:
        journal.take_listing([A])
        assert lacking(journal) == ["a"]


#: What the version did that knew no time of change.
EARLIER = """
CREATE TABLE IF NOT EXISTS file (
    name TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER,
    md5 BLOB, blake3 BLOB, listed INTEGER
) WITHOUT ROWID;
INSERT OR REPLACE INTO file VALUES ('a', 1, 2, 3, 'm', 'b', 1);
"""


def test_an_earlier_version_begins_anew_and_so_does_this_one_after_it(path: Path) -> None:
    path.parent.mkdir()
    for left in (["a", "b"], ["b"]):
        with closing(sqlite3.connect(path)) as database:
            database.executescript(EARLIER)
        with held(path) as journal:
            journal.take_listing([A, B])
            assert lacking(journal) == left
            journal.add([("a", MADE)])


def test_a_discarded_one_leaves_nothing_but_its_locks(path: Path) -> None:
    with held(path) as journal:
        journal.take_listing([A])
        journal.discard()
    assert [one.suffix for one in sorted(path.parent.iterdir())] == [".lock", ".wanted"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(sqlite3.SQLITE_FULL, "disk.full"), (sqlite3.SQLITE_IOERR, "checksum.journal")],
)
def test_what_the_disk_says_is_told(path: Path, error: int, code: str) -> None:
    failure = sqlite3.OperationalError("it is so")
    failure.sqlite_errorcode = error
    with pytest.raises(ArterioleError, match="it is so") as raised, held(path):
        raise failure
    assert raised.value.code == code
