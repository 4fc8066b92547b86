"""Stands in for a NovaSeq X that demultiplexes on board: writes Analysis/<n> of a run.

Its FASTQs and tables are those of the stand-in for BCL Convert, which uses no code of ours, laid
out and listed as a real one does (gmc-norr/cleve, testdata/dragen_manifest.tsv): samples of another
workflow than BCLConvert lie in a folder of that, the counts of all in Demux.
"""

import json
import runpy
import shutil
import tempfile
import zlib
from pathlib import Path

BCL_CONVERT = runpy.run_path(str(Path(__file__).parent / "fake_bcl_convert.py"))
VERSION = "4.3.16"


def analyse(run: Path, sheet: str, number: int = 1, workflow: str = "BCLConvert") -> Path:
    """Write Analysis/<number>, complete, with the sheet that it was told to use."""
    home = run / "Analysis" / str(number)
    fastqs = home / "Data" / workflow / "fastq"
    undetermined = home / "Data" / "BCLConvert" / "fastq"
    with tempfile.TemporaryDirectory() as name:
        used, out = Path(name, "SampleSheet.csv"), Path(name, "out")
        used.write_text(sheet)
        words = ["--bcl-input-directory", str(run), "--output-directory", str(out)]
        BCL_CONVERT["make"]([*words, "--sample-sheet", str(used)], {})
        for folder in (fastqs, undetermined):
            (folder / "Reports").mkdir(parents=True, exist_ok=True)
        for path in sorted(out.glob("*.fastq.gz")):
            shutil.copy(path, undetermined if path.name.startswith("Undetermined") else fastqs)
        _divide(out / "Reports" / "Quality_Metrics.csv", fastqs, undetermined)
        shutil.copy(out / "Reports" / "fastq_list.csv", fastqs / "Reports")
        (home / "Data" / "Demux").mkdir()
        for table in ("Demultiplex_Stats.csv", "Top_Unknown_Barcodes.csv"):
            shutil.copy(out / "Reports" / table, home / "Data" / "Demux")
    for path in (home / "Data" / "SampleSheet.csv", fastqs.parent / "SampleSheet.csv"):
        path.write_text(sheet)
    summary = home / "Data" / "summary" / VERSION
    summary.mkdir(parents=True)
    high = {"software_version": VERSION, "workflows": [{"workflow": workflow}]}
    (summary / "highlevel_summary.json").write_text(json.dumps(high))
    (summary / "detailed_summary.json").write_text(json.dumps({"result": "success"}))
    (home / "Data" / "Secondary_Analysis_Complete.txt").touch()
    list_files(home)
    (home / "CopyComplete.txt").touch()
    return home


def list_files(home: Path) -> None:
    """Manifest.tsv of what lies in Data now."""
    lines = [
        f"{path.relative_to(home).as_posix()}\t{zlib.crc32(path.read_bytes()):08x}\n"
        for path in sorted((home / "Data").rglob("*"))
        if path.is_file()
    ]
    (home / "Manifest.tsv").write_text("".join(lines))


def _divide(table: Path, fastqs: Path, undetermined: Path) -> None:
    """Each workflow has the qualities of its own files."""
    head, *rows = table.read_text().splitlines(keepends=True)
    for folder in {fastqs, undetermined}:
        own = [
            row
            for row in rows
            if folder == (undetermined if row.split(",")[1] == "Undetermined" else fastqs)
        ]
        (folder / "Reports" / "Quality_Metrics.csv").write_text("".join([head, *own]))
