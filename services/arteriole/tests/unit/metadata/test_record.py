"""The rules for a sample's record."""

import pytest

from arteriole.metadata.record import FlawedError, read_record

GOOD = {
    "sample": "S1",
    "project": "P1",
    "use": "clinical",
    "subject": "SBJ0001",
    "phenotype": "tumor",
    "batch": "B1",
    "genome_build": "GRCh38",
    "pipeline": "somatic",
    "recipient": "clinic-a",
    "consent": "general",
    "expected_reads": 1000,
    "top_up_of": ["RUN1", "RUN2"],
}


def test_a_record_keeps_what_it_was_given():
    record = read_record(GOOD)
    assert record.model_dump(mode="json") == {**GOOD, "control": ""}
    assert read_record({**GOOD, "control": ""}).entry() == record.entry()
    assert read_record({**GOOD, "consent": "none"}).entry().digest != record.entry().digest


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"sample": ""}, "sample", "expected 1 to 200 of A-Z a-z 0-9 . _ - "),
        ({"sample": "-rf"}, "sample", "found '-rf'"),
        ({"sample": "S1\n"}, "sample", r"found 'S1\n'"),
        ({"project": "<% x %>"}, "project", "found '<% x %>'"),
        ({"project": 7}, "project", "expected text, found 7"),
        ({"use": "Klinik"}, "use", "expected 'clinical' or 'research', found 'Klinik'"),
        ({"subject": ""}, "subject", "expected a pseudonym for a clinical sample, found none"),
        ({"consent": ""}, "consent", "expected a consent for a clinical sample, found none"),
        ({"recipient": ""}, "recipient", "expected a recipient for a clinical sample, found none"),
        ({"pipeline": ""}, "pipeline", "expected a pipeline for "),
        ({"batch": ""}, "batch", "expected a batch for a tumor, found none"),
        ({"phenotype": "benign"}, "phenotype", "expected 'tumor', 'normal' or ''"),
        ({"control": "water"}, "control", "'no-template', 'positive', 'phix' or ''"),
        ({"expected_reads": -1}, "expected_reads", "expected at least 0, found -1"),
        ({"expected_reads": "1E6"}, "expected_reads", "expected a whole number, found '1E6'"),
        ({"top_up_of": ["R1", "R1"]}, "top_up_of", "expected each run once"),
        ({"top_up_of": ["../R1"]}, "top_up_of", "found '../R1'"),
        ({"top_up_of": ["R"] * 101}, "top_up_of", "a list of at most 100"),
        ({"consnt": "x"}, "", "'consnt': there is no such key; is consent meant?"),
    ],
)
def test_a_broken_rule_is_told_with_its_field(changes, field, told):
    with pytest.raises(FlawedError) as caught:
        read_record({**GOOD, **changes}, "here:3")
    assert caught.value.flaws[0].field == caught.value.field == field
    assert str(caught.value).startswith("here:3: ") and told in str(caught.value)


@pytest.mark.parametrize(
    ("values", "lacking"),
    [
        ({"use": "research", "pipeline": "wgs"}, []),
        ({"use": "research"}, ["pipeline"]),
        ({"use": "research", "control": "phix"}, []),
        ({"use": "clinical", "control": "positive", "consent": "none", "recipient": "R"}, []),
        ({"use": "clinical"}, ["subject", "consent", "recipient", "pipeline"]),
        ({"use": "research", "pipeline": "wgs", "phenotype": "normal"}, []),
        ({"use": "research", "pipeline": "wgs", "phenotype": "tumor"}, ["batch"]),
        ({"use": "research", "control": "positive", "phenotype": "tumor"}, ["batch"]),
    ],
)
def test_what_each_kind_of_sample_needs(values, lacking):
    found = []
    try:
        read_record({"sample": "S1", "project": "P1", **values})
    except FlawedError as err:
        found = [flaw.field for flaw in err.flaws]
    assert found == lacking
