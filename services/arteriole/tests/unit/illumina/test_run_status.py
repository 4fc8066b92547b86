import pytest

from arteriole.illumina.run_status import RunStatus, RunStatusError


def written(folder, body, root="RunCompletionStatus"):
    (folder / "RunCompletionStatus.xml").write_text(f"<?xml version='1.0'?><{root}>{body}</{root}>")
    return RunStatus.read(folder)


def nextseq(word, error="None"):
    return (
        f"<CompletionStatus>{word}</CompletionStatus><RunId>x</RunId>"
        f"<StepCompleted>9</StepCompleted><ErrorDescription>{error}</ErrorDescription>"
    )


def novaseq(word, error=""):
    return f"<RunStatus>{word}</RunStatus>{error}"


# The words and elements as in gmc-norr/cleve, runcompletionstatus_test.go, and st2-seqdata.
@pytest.mark.parametrize(
    ("body", "word", "detail", "is_failure"),
    [
        (nextseq("CompletedAsPlanned"), "CompletedAsPlanned", "", False),
        (nextseq("UserEndedEarly", "Thread was aborted"), "UserEndedEarly", "Thread was aborted",
         True),
        (nextseq("ExceptionEndedEarly", ""), "ExceptionEndedEarly", "", True),
        (novaseq("RunCompleted"), "RunCompleted", "", False),
        (novaseq("RunErrored", "<RunError><Type>a.b.C</Type><Message>I/O check failed</Message>"
                 "</RunError>"), "RunErrored", "a.b.C: I/O check failed", True),
        (novaseq("NeverSeenBefore"), "NeverSeenBefore", "", True),
        ("", "", "", False),
        ("<RunStatus />", "", "", False),
    ],
)  # fmt: skip
def test_how_a_run_ended(tmp_path, body, word, detail, is_failure):
    found = written(tmp_path, body)
    assert (found.word, found.detail, found.is_failure) == (word, detail, is_failure)


def test_a_name_space_does_not_matter(tmp_path):
    path = tmp_path / "RunCompletionStatus.xml"
    path.write_text('<RunCompletionStatus xmlns="x:y"><RunStatus>RunErrored</RunStatus>'
                    "</RunCompletionStatus>")  # fmt: skip
    assert RunStatus.read(tmp_path).is_failure


def test_what_it_says_is_short_and_printable(tmp_path):
    found = written(tmp_path, nextseq("User\u0085Ended\u202eEarly", "x" * 5000))
    assert found.word.isprintable()
    assert len(found.detail) == 300
    assert str(found) == f"{found.word} ({found.detail})"


def test_a_run_folder_without_one(tmp_path):
    assert RunStatus.read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "<RunCompletionStatus>", "<Other />", "\0"])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    (tmp_path / "RunCompletionStatus.xml").write_text(text)
    with pytest.raises(RunStatusError, match=r"RunCompletionStatus\.xml") as refused:
        RunStatus.read(tmp_path)
    assert refused.value.code == "run.run_status"
