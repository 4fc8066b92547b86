"""Which samples of an attempt are analysed, by which pipeline, and which are held, and why."""

from collections import Counter
from collections.abc import Sequence

from arteriole.app.errors import InvalidError
from arteriole.wes.attempts import AttemptFastqs, current_attempt, read_attempt
from arteriole.wes.request import AnalysisSample
from arteriole.wes.settings import Pipeline, WesSettings
from arteriole.wes.units import Held, SampleInput, Source, Unit, digest_of

#: Why a sample is held; a page of the runbook each.
NO_PIPELINE = "pipeline.unknown"
NO_GENOME = "pipeline.genome"
PAIR_INCOMPLETE = "pipeline.pair"
APART = "pipeline.batch"
NO_READS = "analysis.no_reads"
NO_TOP_UP = "analysis.top_up"
DEGRADED = "analysis.degraded"
NO_METADATA = "metadata.missing"


class Grouping:
    """The units of an attempt, and the samples that none of them has.

    Controls, and samples whose metadata names no pipeline, are not analysed and not held.
    """

    def __init__(
        self, settings: WesSettings, attempt: AttemptFastqs, *, released: bool = False
    ) -> None:
        """`released`: reads of degraded attempts are taken, those of top-ups too."""
        self._settings = settings
        self._attempt = attempt
        self._released = released
        self.units: list[Unit] = []
        self.held: list[Held] = []
        self.left_out = 0

    def take(self, samples: Sequence[AnalysisSample], held: Sequence[str], pipeline: str) -> None:
        """Form the units of `samples`; those in `held` have no metadata yet.

        With `pipeline` only that one is run; if it is after another, for the samples of the one
        that takes their FASTQs.

        Raises:
            InvalidError: they are not the samples of the attempt, or there is no such pipeline.
        """
        self._require_all([*(one.sample for one in samples), *held])
        chain = self._chain(pipeline) if pipeline else []
        self.held += [Held(sample=name, reason=NO_METADATA) for name in held]
        groups: dict[tuple[str, str], list[SampleInput]] = {}
        lacking = set()  # batches, of which a sample is held
        for one in samples:
            name = one.pipeline
            if one.control or not name or (chain and name != chain[0]):
                self.left_out += 1
                continue
            reads = self._reason(one, chain or [name]) or self._reads(one)
            group = name, one.batch or one.sample
            if isinstance(reads, str):
                self.held.append(Held(sample=one.sample, reason=reads))
                lacking.add(group)
                continue
            groups.setdefault(group, []).append(_input(one, reads))
        for group, members in sorted(groups.items()):
            pipelines = chain or [group[0]]
            if reason := self._apart(pipelines, members, group in lacking):
                self.held += [Held(sample=one.sample, reason=reason) for one in members]
            else:
                self._unit(pipelines, group[1], members)

    def _require_all(self, given: list[str]) -> None:
        there = set(self._attempt.samples)
        twice = sorted(name for name, count in Counter(given).items() if count > 1)
        if twice or set(given) != there:
            missing, surplus = sorted(there - set(given)), sorted(set(given) - there)
            what = (
                f"{twice[0]} is given twice"
                if twice
                else f"{len(missing)} are not given, {len(surplus)} are not in it"
                f" ({(missing + surplus)[0]} is one)"
            )
            raise InvalidError(
                f"expected every sample of attempt {self._attempt.attempt} of {self._attempt.run}"
                f" in samples or held: {what}",
                code="analysis.samples",
                field="samples",
            )

    def _chain(self, pipeline: str) -> list[str]:
        """The pipelines of which each is after the one before it; the last is `pipeline`."""
        known = self._settings.pipelines
        if pipeline not in known:
            raise InvalidError(
                f"no pipeline {pipeline[:60]!r}; arteriole.yaml has: {', '.join(known) or 'none'}",
                code=NO_PIPELINE,
                field="pipeline",
            )
        chain = [pipeline]
        while (before := known[chain[0]].after) is not None:
            chain.insert(0, before)
        return chain

    def _reason(self, one: AnalysisSample, pipelines: list[str]) -> str:
        """NB: a pipeline that takes the results of another has no use for a sample's FASTQs."""
        entries = [self._settings.pipelines.get(name) for name in pipelines]
        if entries[0] is None or entries[0].after is not None:
            return NO_PIPELINE
        builds = [entry.genomes for entry in entries if entry is not None and entry.genomes]
        return "" if all(one.genome_build in known for known in builds) else NO_GENOME

    def _reads(self, one: AnalysisSample) -> dict[str, list[Source]] | str:
        """The files of lanes and top-ups, or why there are none."""
        reads = {name: list(files) for name, files in self._attempt.samples[one.sample].items()}
        for run in sorted(set(one.top_up_of) - {self._attempt.run}):
            more = self._top_up(one.sample, run)
            if isinstance(more, str):
                return more
            if more.keys() != reads.keys():
                return NO_TOP_UP
            for name, files in more.items():
                reads[name] += files
        counts = {sum(file.reads for file in files) for files in reads.values()}
        if not reads or counts == {0}:
            return NO_READS
        if len(counts) != 1:
            raise InvalidError(
                f"{one.sample}: its reads have {sorted(counts)} records: not the same number",
                code="analysis.inputs",
                field="samples",
            )
        return reads

    def _top_up(self, sample: str, run: str) -> dict[str, list[Source]] | str:
        """The files of `sample` in the current attempt of another run, or why they are not taken.

        NB: what is wrong with that run holds this sample, and stops no other.
        """
        root = self._settings.fastq_root
        if (number := current_attempt(root, run)) is None:
            return NO_TOP_UP
        try:
            other = read_attempt(root, run, number)
        except InvalidError as err:
            return err.code
        if other.degraded and not self._released:
            return DEGRADED
        return other.samples.get(sample, {})

    def _apart(self, pipelines: list[str], members: list[SampleInput], lacks: bool) -> str:
        """Why these are not analysed together, or not yet; `lacks`: one of the batch is held.

        NB: projects count their batches from 1, each for itself.
        """
        needs = {one for name in pipelines for one in self._settings.pipelines[name].needs}
        if needs - {one.phenotype for one in members}:
            return PAIR_INCOMPLETE
        if len({one.genome_build for one in members}) > 1:
            return NO_GENOME
        subjects = {one.subject for one in members} - {""}
        batches, projects = ({getattr(one, of) for one in members} for of in ("batch", "project"))
        of_a_pair = needs == {"tumor", "normal"} and len(subjects) > 1
        return APART if lacks or of_a_pair or len(batches) > 1 or len(projects) > 1 else ""

    def _unit(self, pipelines: list[str], group: str, members: list[SampleInput]) -> None:
        unit = None
        for name in pipelines:
            unit = _formed(name, self._settings.pipelines[name], group, members, unit)
        assert unit is not None
        self.units.append(unit)


def _formed(
    name: str, entry: Pipeline, group: str, members: list[SampleInput], before: Unit | None
) -> Unit:
    unit = Unit(
        pipeline=name,
        version=entry.version,
        group=group,
        samples=sorted(members, key=lambda one: (one.phenotype != "normal", one.sample)),
        input="" if before is None else before.name,
    )
    return unit.model_copy(update={"digest": digest_of(unit, entry)})


def _input(one: AnalysisSample, reads: dict[str, list[Source]]) -> SampleInput:
    return SampleInput(
        sample=one.sample,
        version=one.version,
        project=one.project,
        subject=one.subject,
        phenotype=one.phenotype,
        batch=one.batch,
        genome_build=one.genome_build,
        reads=reads,
    )
