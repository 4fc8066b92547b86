"""What belongs to no resource of its own."""

from importlib.metadata import version
from typing import Any

from st2solo.api.calls import Answer, Call, Route
from st2solo.errors import InvalidError


def inspect_workflow(call: Call) -> list[dict[str, Any]]:
    """The errors of a workflow definition, posted as text."""
    try:
        text = call.body.decode()
    except UnicodeDecodeError as err:
        raise InvalidError("expected the workflow definition as UTF-8 text") from err
    return call.services.executions.inspect(text)


def about(call: Call) -> dict[str, str]:
    return {"version": f"st2solo {version('st2solo')}"}


def metrics(call: Call) -> Answer:
    """Figures for Prometheus."""
    return Answer(call.services.metrics.text(), plain=True)


ROUTES = [
    Route("GET", "/", about, public=True),
    Route("GET", "/metrics", metrics, public=True),
    Route("POST", "/workflows/inspect", inspect_workflow, recorded=True),
]
