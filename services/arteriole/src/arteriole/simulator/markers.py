"""The files that say that a read, or the run, is done, or that the instrument gave up."""

from arteriole.simulator.clock import american, at_cycle
from arteriole.simulator.instruments import Completion, Generation, Kind
from arteriole.simulator.plan import RunPlan
from arteriole.simulator.xml import NAMESPACES, Element, add, document, texts


def read_markers(plan: RunPlan, number: int, cycle: int) -> dict[str, str]:
    """Names and texts of the files that say that read `number` is done; RTA 3 and 4 have none."""
    time = american(at_cycle(plan, cycle))
    match plan.instrument.generation:
        case Generation.RTA2:
            return {f"RTARead{number}Complete.txt": f"Read {number} complete {time}"}
        case Generation.RTA1:
            text = _rta1_text(plan, time)
            steps = "ImageAnalysis", "Basecalling"
            return {f"{step}_Netcopy_complete_Read{number}.txt": text for step in steps}
        case _:
            return {}


def run_markers(plan: RunPlan) -> dict[str, str]:
    """Names and texts of the files that say that the run is done, the decisive one last."""
    time = american(at_cycle(plan, plan.cycles + 2))
    if plan.instrument.generation is Generation.RTA1:
        text = _rta1_text(plan, time)
        names = "ImageAnalysis_Netcopy_complete", "Basecalling_Netcopy_complete", "RTAComplete"
        return {f"{name}.txt": text for name in names}
    version = plan.instrument.rta_version.removeprefix("v")
    done = {"RTAComplete.txt": f"RTA {version} completed on {time}\r\n"}
    match plan.kind:
        case Kind.HISEQ4000:
            position = plan.name_parts[3]
            text = f"Sequencing for flowcell {position} completed on {time}\r\n"
            return done | {"SequencingComplete.txt": text}
        case Kind.NOVASEQ6000:
            return done | {"SequenceComplete.txt": "", "CopyComplete.txt": ""}
        case Kind.NEXTSEQ500:
            return done | _completion(plan, plan.cycles, "")
        case _:
            return done | _completion(plan, plan.cycles, "") | {"CopyComplete.txt": ""}


def failure(plan: RunPlan, cycle: int) -> dict[str, str]:
    """Names and texts of the files that say that the instrument gave up after `cycle`."""
    return _completion(plan, cycle, "Fluidics: the pump did not reach its position")


def _completion(plan: RunPlan, cycle: int, error: str) -> dict[str, str]:
    """RunCompletionStatus.xml, where the instrument writes one."""
    match plan.instrument.completion:
        case Completion.NONE:
            return {}
        case Completion.COMPLETION_STATUS:
            root = Element("RunCompletionStatus", NAMESPACES)
            texts(root, (
                ("CompletionStatus", "ExceptionEndedEarly" if error else "CompletedAsPlanned"),
                ("RunId", plan.run),
                ("CycleCompleted", str(cycle)),
                ("ErrorDescription", error or "None"),
            ))  # fmt: skip
        case Completion.RUN_STATUS:
            root = Element("RunCompletionStatus")
            texts(root, (("RunStatus", "RunErrored" if error else "RunCompleted"),))
            if error:
                kind = (
                    "Illumina.Instrument.Recipe.Runtime.Exceptions.RecipeExecutionFailedException"
                )
                texts(add(root, "RunError"), (("Type", kind), ("Message", error)))
    return {"RunCompletionStatus.xml": document(root)}


def _rta1_text(plan: RunPlan, time: str) -> str:
    return f"{time.replace(' ', ',', 1)},Illumina RTA {plan.instrument.rta_version}\r\n"
