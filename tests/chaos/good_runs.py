"""What comes into a good run folder beside the run: nothing of it makes the run any worse."""

from random import Random

from arteriole.simulator.script import Part
from tests.chaos.base_runs import BaseRun, Files

_CALLS = "Data/Intensities/BaseCalls"
_FIRST = f"{_CALLS}/L001"
#: By the instrument, its software, converters, file systems and people.
_BESIDE = (
    "Analysis/1/Data/BCLConvert/fastq/NA12878_S1_L001_R1_001.fastq.gz",
    "Analysis/1/Data/Demux/Demultiplex_Stats.csv",
    "Config/Effective.cfg",
    "Data/Intensities/config.xml",
    "Data/Intensities/Offsets/offsets.txt",
    "Data/Intensities/RTAConfiguration.xml",
    "Data/RTALogs/Warning_0.txt",
    "Data/TileStatus/TileStatusL1T1101.tpl",
    "Data/reports/Summary/read1.xml",
    "Images/Focus/L001/C1.1/s_1_1101_a.jpg",
    "InstrumentAnalyticsLogs/RunCompletion.json",
    "InterOp/C1.1/BasecallingMetricsOut.bin",
    "InterOp/IndexMetricsOut.bin",
    "InterOp/ImageMetricsOut.bin",
    "Logs/Cycle1_Log.00.log",
    "PeriodicSaveRates/Save All Thumbnails.xml",
    "Recipe/Recipe.xml",
    "RunCompletionStatus.txt",
    "SampleSheet_before.csv",
    "SampleSheet.csv.bak",
    "SequenceComplete.txt",
    "RTAComplete.txt",
    "RTAComplete.xml",
    "CopyComplete.txt",
    "Thumbnail_Images/L001/C1.1/s_1_1101_green.jpg",
    "Unaligned/Trio/NA12878_S1_L001_R1_001.fastq.gz",
    "checksums.md5",
    "md5sum.txt",
    "dragen-replay.json",
    ".arteria/state",
    ".DS_Store",
    "._RTAComplete.txt",
    "desktop.ini",
    "Thumbs.db",
    f"{_CALLS}/Alignment/summary.txt",
    f"{_CALLS}/Matrix/s_1_1_matrix.txt",
    f"{_CALLS}/Phasing/s_1_1_phasing.xml",
    f"{_CALLS}/Stats/Stats.json",
    f"{_CALLS}/config.xml",
    f"{_CALLS}/NA12878_S1_L001_R1_001.fastq.gz",
    f"{_FIRST}/._s_1_1101.filter",
    f"{_FIRST}/.nfs000000000012d687",
    f"{_FIRST}/Thumbs.db",
    f"{_FIRST}/s_1_1101.control",
    f"{_FIRST}/C1.1/s_1_1101.stats",
    f"{_FIRST}/C1.1/._s_1_1101.bcl.gz",
    f"{_FIRST}/C1.1/._L001_1.cbcl",
    f"{_FIRST}/C1.1/.DS_Store",
)


def grown(chance: Random, run: BaseRun, files: Files) -> Files:
    """The files with some more beside them, and some logs and metrics longer than they were."""
    more = dict(files)
    for path in chance.sample(_BESIDE, chance.randint(1, 8)):
        if path not in run.files:
            more[path] = chance.randbytes(chance.randint(0, 60))
    metrics = run.paths(Part.METRICS)
    for path in chance.sample(metrics, chance.randint(0, len(metrics))):
        more[path] = more[path] + chance.randbytes(chance.randint(1, 90))
    return more
