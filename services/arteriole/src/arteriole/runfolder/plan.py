"""A run's plan: its stages, the predecessors of each, and time limits. The site's pack gives it."""

from graphlib import CycleError, TopologicalSorter
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from arteriole.app.names import require_identifier
from arteriole.app.routes import Request

#: The stage that the claim itself is.
RECEIVE = "receive"


def _stage_name(text: str) -> str:
    return require_identifier(text, "plan.stages")


StageName = Annotated[str, AfterValidator(_stage_name)]


class StagePlan(Request):
    after: list[StageName] = Field(default_factory=list, max_length=50)
    time_limit: int = Field(default=24 * 3600, ge=1, le=60 * 24 * 3600)
    #: This stage makes the attempt's data: to do it again takes a new attempt.
    makes_attempt: bool = False


class Plan(Request):
    stages: dict[StageName, StagePlan] = Field(min_length=1, max_length=50)

    @field_validator("stages")
    @classmethod
    def _acyclic(cls, stages: dict[str, StagePlan]) -> dict[str, StagePlan]:
        for name, stage in stages.items():
            for before in stage.after:
                if before not in stages:
                    raise ValueError(f"{name} is after {before}, which is no stage of the plan")
        try:
            TopologicalSorter({name: stage.after for name, stage in stages.items()}).prepare()
        except CycleError as err:
            raise ValueError(f"the stages wait for each other: {' -> '.join(err.args[1])}") from err
        return stages

    def order(self) -> list[str]:
        """The stages, each behind those that it is after."""
        graph = {name: stage.after for name, stage in self.stages.items()}
        return list(TopologicalSorter(graph).static_order())

    def from_stage(self, first: str) -> set[str]:
        """`first` and every stage that comes after it."""
        chosen = {first}
        for name in self.order():
            if chosen.intersection(self.stages[name].after):
                chosen.add(name)
        return chosen
