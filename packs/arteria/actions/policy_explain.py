from typing import Any, Dict, List

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, number


class PolicyExplain(ServiceAction):
    """Where an attempt's data may go by the site's policy, by which rule, and how long it is kept.

    Rules and destinations only; the words of it are `arteriole policy explain`'s.
    """

    def act(self, run: str, attempt: int) -> Dict[str, Any]:
        where = path("policy", identifier(run, "run"), number(attempt, "attempt"))
        answer = self.client.get("archive", where)
        return {"kinds": [_kind(kind) for kind in answer.get("kinds") or []]}


def _kind(kind: Dict[str, Any]) -> Dict[str, Any]:
    days = kind.get("keep_days")
    destinations: List[Dict[str, Any]] = kind.get("destinations") or []
    return {
        "kind": identifier(kind.get("kind"), "kind"),
        "keep_days": None if days is None else number(days, "keep_days"),
        "copies": number(kind.get("copies"), "copies"),
        "destinations": [
            {
                "destination": identifier(one.get("destination"), "destination"),
                "allowed": one.get("allowed") is True,
                "rule": identifier(one["rule"], "rule") if one.get("rule") else "",
            }
            for one in destinations
        ],
    }
