from collections import Counter
from typing import Any, Dict, List

from arteria_action import ServiceAction
from arteria_backends import backends, tell
from arteria_client import path
from arteria_errors import ArteriaError
from arteria_names import is_identifier
from arteria_notice import URGENCIES, deed, notice, presses, word
from arteria_text import standing


class Digest(ServiceAction):
    """Tell how many runs stand where, and which wait for a person; the urgent first."""

    def act(self, limit: int = 20) -> Dict[str, Any]:
        if not backends(self.config):
            return tell(self.config, "", {})
        rows = self.client.get("runfolder", path("runs")).get("runs") or []
        states = Counter(word(standing(row)) for row in rows)
        notices = [notice(row) for row in rows if is_identifier(row.get("name"))]
        told = [row for row in notices if row["code"]]
        urgent = sorted((row for row in told if presses(row)), key=_order)
        others = Counter(row["code"] for row in told if not presses(row))
        lines = ["Runs: " + (_counted(states) or "none")]
        lines += [_line(row) for row in urgent[:limit]]
        if urgent[limit:]:
            lines.append("and %d more that press" % (len(urgent) - limit,))
        if others:
            lines.append("Can wait: " + _counted(others))
        facts = {"what": "digest", "states": dict(states), "waiting": urgent[:limit]}
        try:
            return {**tell(self.config, "\n".join(lines), facts), "urgent": len(urgent)}
        except ArteriaError as error:
            error.counts["urgent"] = len(urgent)
            raise


def _order(told: Dict[str, Any]) -> Any:
    until = told["until"]
    return URGENCIES.index(told["urgency"]), "" if until == "now" else until or "~", told["run"]


def _line(told: Dict[str, Any]) -> str:
    words: List[str] = [told["urgency"], told["until"], told["run"], told["code"], deed(told)]
    return "  ".join(word for word in words if word)


def _counted(counts: Any) -> str:
    return ", ".join("%s %d" % pair for pair in sorted(counts.items()))
