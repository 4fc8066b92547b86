"""How many runs stand how, and what people should be told of: for Prometheus, without a name."""

from collections import Counter

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from arteriole.runfolder.runs import Runs

#: As `Run.standing`; a run with an attempt and without a state of Arteria's is observed.
_STANDINGS = """
    SELECT CASE WHEN state <> 'none' THEN state
                WHEN json_extract(evidence, '$.no_run') THEN 'no_run'
                WHEN attempt > 0 THEN 'observed'
                ELSE verdict END
           AS standing, count(*) AS count
    FROM run GROUP BY standing
"""


def figures(runs: Runs) -> list[Metric]:
    """Of the store alone; no folder is looked at."""
    standings = GaugeMetricFamily("arteriole_runs", "Runs that stand so.", labels=["standing"])
    for row in runs.store.rows(_STANDINGS):
        standings.add_metric([row["standing"]], row["count"])
    alerts = GaugeMetricFamily("arteriole_alerts", "Alerts that stand.", labels=["what"])
    for what, count in Counter(alert.what for alert in runs.alerts.standing()).items():
        alerts.add_metric([what], count)
    return [standings, alerts]
