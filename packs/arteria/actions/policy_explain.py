from typing import Any, Dict, List

from arteria_action import ServiceAction
from arteria_attempt import chosen_attempt
from arteria_client import path
from arteria_names import identifier, number


class PolicyExplain(ServiceAction):
    """Where an attempt's data may go by the site's policy, by which rule, and how long it is kept.

    Rules and destinations only; the words of it are `arteriole policy explain`'s.
    """

    def act(self, run: str, attempt: int = 0) -> Dict[str, Any]:
        attempt = chosen_attempt(self.client, run, attempt)
        answer = self.client.get("archive", path("policy", run, attempt))
        kinds = [_kind(kind) for kind in answer.get("kinds") or []]
        return {"kinds": kinds, "text": "\n".join(map(_line, kinds))}


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


def _line(kind: Dict[str, Any]) -> str:
    days = kind["keep_days"]
    kept = "for ever" if days is None else "%d days, then %d copies" % (days, kind["copies"])
    words = ["%s: kept %s" % (kind["kind"], kept)]
    for one in kind["destinations"]:
        rule = " (%s)" % (one["rule"],) if one["rule"] else ""
        word = "allowed" if one["allowed"] else "refused"
        words.append("%s %s%s" % (one["destination"], word, rule))
    return "; ".join(words)
