"""Which files of an attempt's data are brought back."""

import re
from dataclasses import dataclass

from arteriole.checksum.digests import digest_text

#: Illumina's names, bcl2fastq2 guide (15051736), FASTQ files: SampleName_S1_L001_R1_001.fastq.gz
_FASTQ = r"_S[0-9]+(_L[0-9]{3})?_[RI][0-9]_[0-9]{3}\.fastq(\.gz|\.ora)?"


@dataclass(frozen=True)
class Selection:
    """All files, or those of a part, of a sample, or one.

    Attributes:
        file: `<part>/<path>`, as the archive has it.
    """

    part: str = ""
    sample: str = ""
    file: str = ""

    def is_whole(self, part: str) -> bool:
        """Whether all files of `part` are chosen."""
        return self.part in ("", part) and not self.sample and not self.file

    @property
    def folder(self) -> str:
        """What tells its folder from that of all files; it names no sample."""
        if not self.sample and not self.file:
            return f".{self.part}" if self.part else ""
        words = "\0".join((self.part, self.sample, self.file))
        return f".part-{digest_text(words.encode())[:12]}"

    def has(self, name: str) -> bool:
        part, _, path = name.partition("/")
        return (
            self.part in ("", part)
            and self.file in ("", name)
            and (not self.sample or (part == "fastq" and self._is_of_sample(path)))
        )

    def _is_of_sample(self, path: str) -> bool:
        """A FASTQ that begins with the sample's name or, below a project, is in its folder."""
        *folders, name = path.split("/")
        if re.fullmatch(re.escape(self.sample) + _FASTQ, name):
            return True
        in_folder = len(folders) > 1 and folders[-1] == self.sample
        return in_folder and re.fullmatch(r".+" + _FASTQ, name) is not None
