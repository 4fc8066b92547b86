from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_errors import ArteriaError
from arteria_names import code_of, identifier, inert, is_identifier
from arteria_sheet import read_sheet, sheet_of


class SamplesheetCheck(ServiceAction):
    """Tell a person what is wrong with a sample sheet: of a run, for a flow cell, or a file.

    NB: findings quote the sheet. They are for people, and for no rule and no workflow, which go by
    check_samplesheet: that passes on nothing but a code and numbers.
    """

    def act(self, run: str = "", flow_cell: str = "", file: str = "") -> Dict[str, Any]:
        if not (run or flow_cell or file) or (run and flow_cell):
            raise ArteriaError(
                "expected run, flow_cell, or file, which may go with either of them",
                code="samplesheet.scope",
                hint="st2 run arteria.samplesheet_check file=/data/sheets/next.csv",
            )
        body = {}
        for name, value in (("run", run), ("flow_cell", flow_cell)):
            if value:
                body[name] = identifier(value, name)
        if file:
            body["sheet"] = read_sheet(file)
        elif run:
            body.update(sheet_of(self.client, run))
        found = self.client.post("bcl2fastq", path("samplesheets", "check"), body)
        judged = found.get("run")
        return {
            "ok": found.get("ok") is True,
            "code": code_of(found),
            "message": inert(str(found.get("message") or "")),
            "hint": inert(str(found.get("hint") or "")),
            "run": judged if is_identifier(judged) else "",
            "findings": [_told(row) for row in found.get("findings") or []],
            "finding_count": int(found.get("finding_count") or 0),
        }


def _told(finding: Dict[str, Any]) -> str:
    """`line 7, column 3: error [sheet.index_collision]: what was found; what to do`."""
    places = [
        "%s %d" % (name, finding[name])
        for name in ("line", "column")
        if isinstance(finding.get(name), int) and finding[name]
    ]
    where = ", ".join(places) + ": " if places else ""
    hint = "; " + str(finding["hint"]) if finding.get("hint") else ""
    told = "%s%s [%s]: %s%s" % (
        where,
        finding.get("severity"),
        code_of(finding),
        finding.get("message"),
        hint,
    )
    return str(inert(told))
