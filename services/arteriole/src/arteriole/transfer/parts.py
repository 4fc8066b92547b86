"""What of a run a transfer takes to the cluster, and what it is called there."""

import enum

from arteriole.checksum.places import FASTQ, RUNFOLDER


class SentPart(enum.StrEnum):
    FASTQ = FASTQ  # the FASTQs of an attempt
    RUNFOLDER = RUNFOLDER  # the run folder itself

    def folder(self, attempt: int) -> str:
        """Its folder below that of the run.

        >>> SentPart.FASTQ.folder(2), SentPart.RUNFOLDER.folder(2)
        ('attempt-2', 'runfolder-2')
        """
        return f"{'attempt' if self is SentPart.FASTQ else self.value}-{attempt}"

    @property
    def manifest(self) -> str:
        """The name of the manifest that goes with it.

        >>> SentPart.RUNFOLDER.manifest
        'runfolder.md5'
        """
        return f"{self.value}.md5"
