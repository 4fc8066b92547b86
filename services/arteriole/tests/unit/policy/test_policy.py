"""Rules from the top: which one fits, and what it says of each place."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from arteriole.app.config import ConfigError
from arteriole.cli import main
from arteriole.policy.policy import Policy, Retention, Subject
from arteriole.policy.reading import read_policy, require_policy
from arteriole.policy.settings import DataKind

TEXT = """\
destinations:
  transfer:
    cluster: {country: AU, premises: true, form: clear}
  archive:
    vault: {country: AU, premises: true, form: encrypted}
    near: {country: AU, premises: false, form: encrypted}
    far: {country: US, premises: false, form: clear}
metadata_folder: /data/metadata
rules:
  - {rule: withdrawn, consent: [none], form: never, keep_days: 0}
  - {rule: clinical-raw, project: "CLIN_.*", kinds: [raw], premises_only: true, copies: 2}
  - rule: clinical
    project: "CLIN_.*"
    countries: [AU, NZ]
    form: encrypted
    keep_days: 365
    copies: 2
  - {rule: research, project: "[A-Z]{1,9}", keep_days: 30}
"""
#: Project, consent, kind, destination, rule; the words of a refusal.
ROWS = [
    ("CLIN_1", "general", "raw", "archive.vault", "clinical-raw", ""),
    ("CLIN_1", "general", "raw", "archive.near", "clinical-raw", "keeps raw data on the premises"),
    ("CLIN_1", "general", "fastq", "archive.near", "clinical", ""),
    ("CLIN_1", "general", "fastq", "archive.far", "clinical", "in AU, NZ, and archive.far is in"),
    ("CLIN_1", "general", "fastq", "transfer.cluster", "clinical", "fastq data to be encrypted"),
    ("CLIN_1", "none", "results", "archive.vault", "withdrawn", "lets results data go nowhere"),
    ("P", "unknown", "fastq", "archive.far", "research", ""),
    ("P", "none", "fastq", "archive.far", "withdrawn", "nowhere"),
    ("P", "unknown", "fastq", "archive.other", "research", "archive.other has no label"),
    ("CLIN", "unknown", "raw", "archive.far", "research", ""),  # of a whole name
    ("xCLIN_1", "unknown", "raw", "archive.far", "", "no rule of policy.yaml fits raw data"),
    ("", "unknown", "raw", "archive.vault", "", "no rule"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "policy.yaml"
    found.write_text(TEXT)
    return found


@pytest.fixture
def policy(path: Path) -> Policy:
    return read_policy(path)


@pytest.mark.parametrize(("project", "consent", "kind", "destination", "rule", "words"), ROWS)
def test_the_first_rule_that_fits_counts(policy, project, consent, kind, destination, rule, words):
    judged = policy.judge(Subject(project, consent), DataKind(kind), destination)
    assert (judged.allowed, judged.rule) == (not words, rule)
    assert words in judged.why
    if rule:
        line = {"withdrawn": 10, "clinical-raw": 11, "clinical": 12, "research": 18}[rule]
        assert judged.line == line and f"{rule} (policy.yaml:{line})" in judged.why
    assert "CLIN" not in judged.why


def test_of_several_projects_the_strictest_counts(policy):
    both = [Subject("P"), Subject("CLIN_1", "general")]
    judged = policy.strictest(both, DataKind.FASTQ, "archive.far")
    assert (judged.allowed, judged.rule) == (False, "clinical")
    assert policy.strictest(both, DataKind.FASTQ, "archive.near").allowed
    assert policy.strictest(both[:1], DataKind.FASTQ, "archive.far").allowed


@pytest.mark.parametrize(
    ("subjects", "kind", "expected"),
    [
        ([Subject("P")], "fastq", Retention(30, 1, ("research",))),
        ([Subject("P"), Subject("CLIN_1")], "fastq", Retention(365, 2, ("research", "clinical"))),
        # for ever is the longest; what no rule fits stays for ever too
        (
            [Subject("P"), Subject("CLIN_1")],
            "raw",
            Retention(None, 2, ("research", "clinical-raw")),
        ),
        ([Subject("P"), Subject("p")], "fastq", Retention(None, 1, ("research",))),
        ([Subject("P", "none")], "raw", Retention(0, 1, ("withdrawn",))),
    ],
)
def test_retention(policy, subjects, kind, expected):
    assert policy.retention(subjects, DataKind(kind)) == expected


ALL = {"transfer.cluster", "archive.vault", "archive.near", "archive.far"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("form: never", "form: nowhere", r":10: rules\.0\.form: expected"),
        ("country: US", "country: us", r":7: destinations\.archive\.far\.country: .*ISO 3166"),
        ("[A-Z]{1,9}", "(A+)+b", r":18: rules\.3\.project: a group is repeated"),
        ("rule: research", "rule: clinical", r":9: rules: .* found clinical twice"),
        ("metadata_folder: /data/metadata\n", "", r":8: rules: .* withdrawn asks for a consent"),
        ("keep_days: 365", "keep_day: 365", r":16: rules\.2\.keep_day: .*is keep_days meant"),
        ("    far:", "    fair:", r":1: destinations: expected a label for archive\.far"),
        ("    far:", "    fair: {country: AU, premises: true, form: clear}\n    far:",
         r":1: destinations\.archive\.fair: arteriole\.yaml has no such"),
        ("rules:", "rules: [", r": not YAML"),
        ("rules:", "x: &a [*a]\nrules:", r":9: expected a value, found one that holds itself"),
        # what is empty would hold for all, and YAML has other numbers than people mean
        *(
            (f"{key}: {value}{after}", f"{key}:{after}",
             rf":{line}: rules\.{n}\.{key}: expected a value, found none")
            for key, value, after, line, n in (
                ("project", '"CLIN_.*"', "\n    countries", 13, 2),
                ("countries", "[AU, NZ]", "", 14, 2),
                ("form", "encrypted", "\n    keep_days", 15, 2),
                ("keep_days", "365", "", 16, 2),
                ("consent", "[none]", "", 10, 0),
            )
        ),
        ("metadata_folder: /data/metadata", "metadata_folder:", r":8: metadata_folder: expected a"),
        *(
            ("keep_days: 365", f"keep_days: {value}",
             r":16: rules\.2\.keep_days: expected a whole number, found")
            for value in ("yes", "0400", "1:00", "30.0", "'30'")
        ),
        ("copies: 2\n  -", "copies: yes\n  -",
         r":17: rules\.2\.copies: expected a whole number, found true"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(path, old, new, told):
    require_policy(path, ALL, set())
    assert old in TEXT
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(ConfigError, match=rf"policy\.yaml:?\d*{told}"):
        require_policy(path, ALL, set())


def test_a_destination_that_we_encrypt_for_is_not_labelled_as_clear(path):
    require_policy(path, ALL, {"archive.near"})
    told = r"policy\.yaml:1: destinations\.archive\.far: expected form encrypted"
    with pytest.raises(ConfigError, match=told):
        require_policy(path, ALL, {"archive.near", "archive.far"})


def _table(path: Path, *cases: str) -> Path:
    table = path.with_name("cases.yaml")
    table.write_text("cases:\n" + "".join(f"  - {{{case}}}\n" for case in cases))
    return table


def _judge(path: Path, table: Path):
    return CliRunner().invoke(main, ["policy", "test", str(table), "--policy", str(path)])


def test_a_table_of_cases(path):
    cases = [
        f"project: {project!r}, consent: {consent}, kind: {kind}, destination: {destination},"
        f" expect: {'refused' if words else 'allowed'}, rule: {rule!r}"
        for project, consent, kind, destination, rule, words in ROWS
    ]
    done = _judge(path, _table(path, *cases))
    assert (done.exit_code, done.output) == (0, f"{len(ROWS)} of {len(ROWS)} cases as expected\n")


def test_a_case_that_is_judged_otherwise_is_shown(path):
    done = _judge(
        path,
        _table(
            path,
            "project: P, kind: fastq, destination: archive.far, expect: allowed",
            "project: P, kind: fastq, destination: archive.far, expect: allowed, rule: other",
            "project: CLIN_2, kind: raw, destination: archive.far, expect: allowed",
        ),
    )
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "case 2: fastq of P (unknown) to archive.far",
        "- allowed by other",
        "+ allowed by research: the rule research (policy.yaml:18) allows it",
        "case 3: raw of CLIN_2 (unknown) to archive.far",
        "- allowed",
        "+ refused by clinical-raw: the rule clinical-raw (policy.yaml:11) keeps raw data on the"
        " premises, and archive.far is elsewhere",
        "1 of 3 cases as expected",
    ]


@pytest.mark.parametrize(
    ("case", "told"), [("expect: maybe", "expect"), ("expect: refused, rule:", "rule")]
)
def test_a_bad_table_is_told_with_its_line(path, case, told):
    done = _judge(path, _table(path, f"kind: fastq, destination: archive.far, {case}"))
    assert done.exit_code == 1 and f"cases.yaml:2: cases.0.{told}: expected" in done.output
