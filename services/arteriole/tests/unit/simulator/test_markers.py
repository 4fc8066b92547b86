"""The last files of each kind of instrument, the decisive one last."""

import pytest
from defusedxml import ElementTree

from arteriole.simulator import markers
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import Kind

RTA1 = ["ImageAnalysis_Netcopy_complete.txt", "Basecalling_Netcopy_complete.txt", "RTAComplete.txt"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Kind.HISEQ4000, ["RTAComplete.txt", "SequencingComplete.txt"]),
        (Kind.HISEQ2500, RTA1),
        (Kind.MISEQ, RTA1),
        (Kind.NEXTSEQ500, ["RTAComplete.txt", "RunCompletionStatus.xml"]),
        (Kind.NOVASEQ6000, ["RTAComplete.txt", "SequenceComplete.txt", "CopyComplete.txt"]),
        (Kind.NEXTSEQ2000, ["RTAComplete.txt", "RunCompletionStatus.xml", "CopyComplete.txt"]),
        (Kind.NOVASEQX, ["RTAComplete.txt", "RunCompletionStatus.xml", "CopyComplete.txt"]),
    ],
)
def test_a_run_that_is_done(kind, names):
    assert list(markers.run_markers(default_plan(kind=kind))) == names


@pytest.mark.parametrize(
    ("kind", "path", "good", "bad"),
    [
        (Kind.NEXTSEQ500, "CompletionStatus", "CompletedAsPlanned", "ExceptionEndedEarly"),
        (Kind.NEXTSEQ500, "ErrorDescription", "None", "Fluidics"),
        (Kind.NOVASEQX, "RunStatus", "RunCompleted", "RunErrored"),
        (Kind.NOVASEQX, "RunError/Message", None, "Fluidics"),
    ],
)
def test_the_completion_status(kind, path, good, bad):
    plan = default_plan(kind=kind)
    done, failed = markers.run_markers(plan), markers.failure(plan, 5)
    assert list(failed) == ["RunCompletionStatus.xml"]
    found = [
        ElementTree.fromstring(texts["RunCompletionStatus.xml"]).findtext(path)
        for texts in (done, failed)
    ]
    assert found[0] == good and found[1].startswith(bad)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Kind.HISEQ4000, ["RTARead2Complete.txt"]),
        (Kind.NEXTSEQ500, ["RTARead2Complete.txt"]),
        (Kind.MISEQ, [f"{s}_Netcopy_complete_Read2.txt" for s in ("ImageAnalysis", "Basecalling")]),
        (Kind.NOVASEQ6000, []),
        (Kind.NOVASEQX, []),
    ],
)
def test_a_read_that_is_done(kind, names):
    assert list(markers.read_markers(default_plan(kind=kind), 2, 44)) == names
