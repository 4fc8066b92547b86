"""What a centre asks of its sheets beyond what a conversion needs."""

from collections.abc import Iterator

from arteriole.illumina.sample_sheet import Sample
from arteriole.illumina.sheet_rules.names import NAME_LENGTH
from arteriole.illumina.sheet_rules.rule import Case, Fault, Needs, Rule, Severity


def is_control(case: Case, sample: Sample) -> bool:
    controls = case.site.controls
    return controls is not None and controls.fullmatch(sample.sample_id[:NAME_LENGTH]) is not None


def _sample_id(case: Case) -> Iterator[Fault]:
    """NB: only names of a usual length are given to the site's expression, which may be slow."""
    wanted = case.site.sample_id
    if wanted is None:
        return
    for sample in case.sheet.samples:
        name = sample.sample_id
        if 0 < len(name) <= NAME_LENGTH and not (
            wanted.fullmatch(name) or is_control(case, sample)
        ):
            message = f"Sample_ID {name} is not of this site's form {wanted.pattern}"
            yield case.at(sample, "Sample_ID", message, "write it as the site asks")


def _project(case: Case) -> Iterator[Fault]:
    wanted = case.site.project
    if wanted is None:
        return
    for sample in case.sheet.samples:
        name = sample.project
        if len(name) <= NAME_LENGTH and not (wanted.fullmatch(name) or is_control(case, sample)):
            message = f"Sample_Project {name!r} is not of this site's form {wanted.pattern}"
            yield case.at(sample, "Sample_Project", message, "write it as the site asks")


def _project_unknown(case: Case) -> Iterator[Fault]:
    known = case.site.projects
    if known is None:
        return
    told: set[str] = set()
    for sample in case.sheet.samples:
        name = sample.project
        if name and name not in known and name not in told:
            told.add(name)
            message = f"the site knows no project {name[:NAME_LENGTH]}"
            hint = "correct it, or add it to the site's projects"
            yield case.at(sample, "Sample_Project", message, hint)


def _control(case: Case) -> Iterator[Fault]:
    if case.site.controls is None or not case.sheet.samples:
        return
    if not any(is_control(case, sample) for sample in case.sheet.samples):
        message = f"no sample is a no-template control ({case.site.controls.pattern})"
        yield Fault(0, 0, message, "add the control's row if it was pooled")


RULES = (
    Rule(
        "sheet.site_sample_id",
        Severity.ERROR,
        Needs.SITE,
        "A Sample_ID is not of the site's form.",
        "Clinical-Genomics/cg#2582: IDs of another form end the steps after the conversion",
        _sample_id,
    ),
    Rule(
        "sheet.site_project",
        Severity.ERROR,
        Needs.SITE,
        "A project is not of the site's form.",
        "fls-bioinformatics-core/auto_process_ngs#154: a sample without a project passes the check",
        _project,
    ),
    Rule(
        "sheet.project_unknown",
        Severity.ERROR,
        Needs.SITE,
        "A project is none of those that the site knows.",
        "fls-bioinformatics-core/auto_process_ngs#48: typos in project names",
        _project_unknown,
    ),
    Rule(
        "sheet.control_missing",
        Severity.WARNING,
        Needs.SITE,
        "The sheet has no no-template control, which the site asks for.",
        "ISO 15189:2022, 7.3.7.2, internal quality control, as isochecks.co.uk has it: a series"
        " without its control cannot be judged",
        _control,
    ),
)
