"""What the analyses of a job need of this machine, where their steps are run here."""

from collections.abc import Sequence

from arteriole.jobs.executors.slurm import SlurmSettings
from arteriole.jobs.needs import NOTHING, Needs
from arteriole.wes.settings import Pipeline, WesSettings
from arteriole.wes.units import Unit


def needs_of(units: Sequence[Unit], settings: WesSettings) -> Needs:
    """At most this is used at once: of all executors of this machine together."""
    by_executor: dict[str, list[list[Needs]]] = {}
    for unit in units:
        entry = settings.pipelines[unit.pipeline]
        by_executor.setdefault(entry.executor, []).append(_steps(entry))
    found = NOTHING
    for name, each in by_executor.items():
        executor = settings.executors[name]
        if not isinstance(executor, SlurmSettings):
            here = _beside_each_other(each, executor.cores)
            found = Needs(found.cores + here.cores, found.memory_gb + here.memory_gb)
    return found


def _steps(entry: Pipeline) -> list[Needs]:
    """Those of a pipeline, which come one after the other."""
    steps = entry.steps if entry.nextflow is None else [entry.nextflow]
    return [Needs(step.cpus, step.memory_gb or 1) for step in steps]


def _beside_each_other(units: Sequence[list[Needs]], cores: int) -> Needs:
    """Steps of units run beside each other while their cores are no more than the executor's.

    Their memory then is no more than that of all units, and no more than what the step that is the
    hungriest for its cores would need on all of them.
    """
    largest = [max(step.cores for step in steps) for steps in units]
    used = min(sum(largest), max(cores, *largest))
    memory = [max(step.memory_gb for step in steps) for steps in units]
    hungriest = max(step.memory_gb / step.cores for steps in units for step in steps)
    return Needs(used, min(sum(memory), max(hungriest * used, *memory)))
