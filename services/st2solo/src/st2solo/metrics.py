"""Figures for Prometheus: what runs, what waits, what has died. No name of a run is among them."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from st2solo.registry import Registry
from st2solo.sensors import Sensors
from st2solo.statuses import COMPLETED
from st2solo.store import Store

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600)


class Metrics:
    """Counts what it is told, and reads the rest from the store when it is asked."""

    def __init__(self, store: Store, packs: Registry, sensors: Sensors) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Present(store, packs, sensors))
        self._ended = Counter(
            "st2solo_executions_ended",
            "Executions that have ended since the start, by runner and status.",
            ("runner", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "st2solo_execution_seconds",
            "From the request of an execution to its end.",
            ("runner",),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def execution_changed(self, execution: dict[str, Any]) -> None:
        """Count an execution that has ended; `execution` is its document."""
        if execution["status"] in COMPLETED:
            runner = execution["runner"]["name"]
            self._ended.labels(runner, execution["status"]).inc()
            self._seconds.labels(runner).observe(execution["elapsed_seconds"])

    def text(self) -> str:
        return generate_latest(self._registry).decode()


class _Present(Collector):
    """What is the case at this moment."""

    def __init__(self, store: Store, packs: Registry, sensors: Sensors) -> None:
        self._store = store
        self._packs = packs
        self._sensors = sensors

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _gauge("st2solo_info", "Which st2solo this is.", {version("st2solo"): 1}, "version")
        yield _gauge(
            "st2solo_executions",
            "Executions that are not over, by status.",
            self._counts(
                "SELECT status, count(*) FROM executions WHERE status NOT IN"
                " ('succeeded', 'failed', 'timeout', 'canceled', 'abandoned') GROUP BY status"
            ),
            "status",
        )
        pending = self._counts(
            "SELECT status, count(*) FROM trigger_instances WHERE status = 'pending'"
            " GROUP BY status"
        )
        yield GaugeMetricFamily(
            "st2solo_trigger_instances_pending",
            "Trigger instances that the rules have not seen yet.",
            value=pending.get("pending", 0),
        )
        yield GaugeMetricFamily(
            "st2solo_store_bytes", "Size of the store.", value=self._store.path.stat().st_size
        )
        yield GaugeMetricFamily(
            "st2solo_registration_problems",
            "Problems for which files of packs are not registered; the log tells them.",
            value=len(self._packs.problems),
        )
        states = self._sensors.states
        yield _gauge(
            "st2solo_sensor_up",
            "1 while the process of a sensor lives.",
            {ref: int(state.pid is not None) for ref, state in states.items()},
            "sensor",
        )
        yield _gauge(
            "st2solo_sensor_deaths",
            "How often a sensor has died since the start.",
            {ref: state.deaths for ref, state in states.items()},
            "sensor",
        )

    def _counts(self, sql: str) -> dict[str, int]:
        return {row[0]: row[1] for row in self._store.execute(sql)}


def _gauge(name: str, description: str, values: dict[str, int], label: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, description, labels=(label,))
    for key, value in values.items():
        family.add_metric([key], value)
    return family
