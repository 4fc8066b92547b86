"""The section `checksum` of arteriole.yaml."""

from pydantic import Field

from arteriole.app.config import AbsolutePath, Section


class ChecksumSettings(Section):
    #: Its port; 0 lets the kernel choose one.
    port: int = Field(default=8182, ge=0, le=65535)
    #: Folders in which run folders lie: the monitored directories of the runfolder service.
    run_roots: list[AbsolutePath] = Field(min_length=1)
    #: The folder in which the bcl2fastq service leaves attempts, `<fastq_root>/<run>/attempt-<n>`.
    fastq_root: AbsolutePath
    #: The folder for manifests.
    manifest_root: AbsolutePath
    #: The folder in which analyses leave `<results_root>/<run>/attempt-<n>/<unit>/`.
    results_root: AbsolutePath | None = None
    #: Jobs at once.
    parallel: int = Field(default=1, ge=1, le=64)
    #: Files of a job read at once.
    threads: int = Field(default=2, ge=1, le=64)
    #: Megabytes a second that are read at most of a run that is being sequenced.
    early_megabytes: float = Field(default=50.0, ge=0.1, le=100_000)
    #: Seconds after which such a job leaves the rest to the next one.
    early_seconds: float = Field(default=600.0, ge=1, le=86400)
