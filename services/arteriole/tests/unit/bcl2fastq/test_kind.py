"""What may be asked of the service."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from arteriole.app.errors import InvalidError
from arteriole.bcl2fastq.converters import IGNORABLE
from arteriole.bcl2fastq.kind import Bcl2fastqKind, ConvertRequest, IndexesRequest
from arteriole.bcl2fastq.settings import Bcl2fastqSettings


@pytest.fixture
def kind(tmp_path: Path) -> Bcl2fastqKind:
    (tmp_path / "runs" / "r1").mkdir(parents=True)
    settings = Bcl2fastqSettings(
        run_roots=[tmp_path / "runs"], fastq_root=tmp_path / "fastq", converter="builtin"
    )
    return Bcl2fastqKind(settings)


@pytest.mark.parametrize("ignore", [[], ["missing-bcls"], [*IGNORABLE, *IGNORABLE]])
def test_what_is_ignored_reaches_the_worker_once(kind: Bcl2fastqKind, ignore: list[str]) -> None:
    request = kind.request.model_validate({"attempt": 1, "ignore": ignore})
    assert kind.parameters("r1", request)["ignore"] == sorted(set(ignore))


def test_an_empty_list_asks_for_the_same_job_as_none() -> None:
    assert ConvertRequest(ignore=[]).asked() == ConvertRequest().asked()


@pytest.mark.parametrize("ignore", ["missing-bcls", ["missing-sense"], [["missing-bcls"]]])
def test_nothing_else_can_be_ignored(ignore: object) -> None:
    with pytest.raises(ValidationError, match="ignore"):
        ConvertRequest.model_validate({"ignore": ignore})


def test_a_conversion_is_no_comparison_of_indexes(kind: Bcl2fastqKind) -> None:
    with pytest.raises(InvalidError, match="no stage of a conversion"):
        kind.parameters("r1", ConvertRequest(stage="indexes"))
    assert kind.parameters("r1", IndexesRequest(stage="indexes"))["part"] == "indexes"
    with pytest.raises(ValidationError, match="stage"):
        IndexesRequest.model_validate({"stage": "convert"})


def test_waived_rules_reach_the_worker_once(kind: Bcl2fastqKind) -> None:
    rules = ["sheet.index_collision"]
    request = kind.request.model_validate({"waived_rules": [*rules, *rules]})
    assert kind.parameters("r1", request)["waived_rules"] == rules
    assert ConvertRequest(waived_rules=[]).asked() == ConvertRequest().asked()
    assert ConvertRequest(waived_rules=rules).asked() != ConvertRequest().asked()


@pytest.mark.parametrize("rule", ["sheet.quotes", "{{ x }}", "", 5])
def test_no_other_rule_can_be_waived(rule: object) -> None:
    with pytest.raises(ValidationError, match="waived_rules"):
        ConvertRequest.model_validate({"waived_rules": [rule]})
