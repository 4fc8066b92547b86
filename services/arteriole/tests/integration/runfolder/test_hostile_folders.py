"""Run folders made to do harm: each is told of, and none disturbs the run beside it."""

import os
import shutil
import socket
from pathlib import Path

from arteriole.illumina.xml_file import SIZE_LIMIT

from .conftest import SLOW

LARGE = 100 * 1024 * 1024
DOCTYPES = {
    "billion laughs": "<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY a{n} '{'&a;' * 10}'>" for n in range(9)),
    "quadratic": f"<!ENTITY a '{'a' * 50_000}'>",
    "external": "<!ENTITY a SYSTEM 'file:///etc/passwd'>",
    "parameter": "<!ENTITY % a SYSTEM 'http://127.0.0.1:1/x.dtd'>%a;",
}


def sparse(folder, name):
    """Of 100 MB, of zero bytes, that take no room."""
    with open(folder / name, "wb") as file:
        file.truncate(LARGE)


def written(folder, name, data):
    (folder / name).write_bytes(data)


def linked(folder, name, target):
    path = folder / name
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


def in_place_of(make):
    """A deed that first removes what is there."""

    def deed(folder, name):
        (folder / name).unlink(missing_ok=True)
        make(str(folder / name))

    return deed


def listening(path):
    """By way of the descriptor of its folder, since the path of a socket is a short one."""
    folder = os.open(Path(path).parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"/proc/self/fd/{folder}/{Path(path).name}")
    os.close(folder)


def elements(text):
    """As many as fit into the largest file that is read."""
    return b"<RunInfo>" + text * ((SIZE_LIMIT - 30) // len(text)) + b"</RunInfo>"


INFO, STATUS, SHEET = "RunInfo.xml", "RunCompletionStatus.xml", "SampleSheet.csv"
PARAMETERS = "RunParameters.xml"
TEXT = "<RunInfo Version='2'><Run Id='x' Number='1'></Run></RunInfo>"
#: What is done, the verdict, and words of its message; "complete" where it does no harm.
DEEDS = {
    "large_info": (lambda f: sparse(f, INFO), "unreadable", "larger than 4 MiB"),
    "large_status": (lambda f: sparse(f, STATUS), "unreadable", "larger than 4 MiB"),
    "large_parameters": (lambda f: sparse(f, PARAMETERS), "unreadable", "larger than 4 MiB"),
    "large_sheet": (lambda f: sparse(f, SHEET), "complete", ""),
    "no_samples": (lambda f: written(f, SHEET, b"[Header]\n" + b"a\n" * 200_000), "complete", ""),
    "wide_sheet": (lambda f: written(f, SHEET, b"[Data]\n" + b"a," * 10**6), "complete", ""),
    "zeros_in_sheet": (lambda f: written(f, SHEET, b"[Data]\nLa\0ne,Sample_ID\n"), "complete", ""),
    "many_elements": (
        lambda f: written(f, INFO, elements(b"<a/>")),
        "unreadable",
        "more than 262,144",
    ),
    "many_names": (
        lambda f: written(f, INFO, elements(b"<a b='' c=''/>")),
        "unreadable",
        "more than",
    ),
    "deep": (
        lambda f: written(f, INFO, b"<a>" * (SIZE_LIMIT // 3)),
        "unreadable",
        "more than 100 deep",
    ),
    "long_root": (
        lambda f: written(f, INFO, b"<%s/>" % (b"a" * (SIZE_LIMIT - 3))),
        "unreadable",
        f"found <{'a' * 60}>",
    ),
    "zeros": (lambda f: written(f, INFO, TEXT.encode() + b"\0"), "unreadable", "well-formed"),
    "odd_encoding": (
        lambda f: written(f, INFO, b"<?xml version='1.0' encoding='x-none'?>" + TEXT.encode()),
        "unreadable",
        "unknown encoding",
    ),
    "rot13": (
        lambda f: written(f, INFO, b"<?xml version='1.0' encoding='rot13'?>" + TEXT.encode()),
        "unreadable",
        INFO,
    ),
    "info_is_folder": (
        lambda f: ((f / INFO).unlink(), (f / INFO).mkdir()),
        "unreadable",
        "cannot be read",
    ),
    "info_is_pipe": (lambda f: in_place_of(os.mkfifo)(f, INFO), "unreadable", "not a file"),
    "info_is_socket": (lambda f: in_place_of(listening)(f, INFO), "unreadable", "No such device"),
    "info_in_circle": (lambda f: linked(f, INFO, INFO), "unreadable", "symbolic links"),
    "info_elsewhere": (lambda f: linked(f, INFO, "/etc/passwd"), "unreadable", "leads out"),
    "info_endless": (lambda f: linked(f, INFO, "/dev/zero"), "unreadable", "leads out"),
    "info_beside": (
        lambda f: ((f / INFO).rename(f / "I.xml"), linked(f, INFO, "I.xml")),
        "complete",
        "",
    ),
    "data_elsewhere": (lambda f: linked(f, "Data", "../../outside"), "unreadable", "Data is a"),
    "lane_elsewhere": (
        lambda f: linked(f, "Data/Intensities/BaseCalls/L001", "/"),
        "unreadable",
        "L001 is a link",
    ),
    "interop_elsewhere": (lambda f: linked(f, "InterOp", "/etc"), "unreadable", "InterOp is a"),
    "sheet_elsewhere": (lambda f: linked(f, SHEET, "/etc/passwd"), "complete", ""),
    "sheet_is_pipe": (lambda f: in_place_of(os.mkfifo)(f, SHEET), "no_sheet", ""),
    "calls_are_pipe": (
        lambda f: in_place_of(os.mkfifo)(f, next(f.rglob("*.bcl.gz")).relative_to(f)),
        "incomplete",
        "1 of",
    ),
    "filter_is_pipe": (
        lambda f: in_place_of(os.mkfifo)(f, next(f.rglob("*.filter")).relative_to(f)),
        "incomplete",
        "1 of",
    ),
    **{
        f"dtd_{kind.split()[0]}": (
            lambda f, inner=inner: written(
                f, INFO, f"<!DOCTYPE x [{inner}]><RunInfo>{'&a;' * 50}</RunInfo>".encode()
            ),
            "unreadable",
            "document types",
        )
        for kind, inner in DOCTYPES.items()
    },
    **{
        f"dtd_status_{kind.split()[0]}": (
            lambda f, inner=inner: written(
                f, STATUS, f"<!DOCTYPE x [{inner}]><RunCompletionStatus/>".encode()
            ),
            "unreadable",
            "document types",
        )
        for kind, inner in [*DOCTYPES.items()][:1]
    },
}


def test_33_hostile_folders_are_told_of_and_disturb_nothing(make_site, sequenced):
    site = make_site(adopt_existing=True, scan_interval=SLOW)
    (site.directories[0].parent / "outside").mkdir()
    for name, (deed, _, _) in DEEDS.items():
        deed(site.bring(name))
    site.bring()
    site.start(scanned=False)
    site.becomes(state="ready", verdict="complete")
    for name, (_, verdict, words) in DEEDS.items():
        run = site.becomes(name, verdict=verdict)
        assert words in run["why"]["message"], (name, run["why"])
        assert "root:" not in str(run) and len(str(run)) < 5000


def test_a_pipe_as_arterias_state_is_not_waited_for(make_site):
    """It is read on the loop: nothing would be answered any more."""
    site = make_site(readiness="marker", scan_interval=SLOW)
    (site.directories[0] / "pipe" / ".arteria").mkdir(parents=True)
    os.mkfifo(site.directories[0] / "pipe" / ".arteria" / "state")
    (site.directories[0] / "pipe" / "RTAComplete.txt").touch()
    site.start(scanned=False)
    assert site.becomes("pipe", verdict="complete")["path"].endswith("/pipe")
