"""What of an attempt a job is about: the data, or what analyses made of it."""

import enum


class Part(enum.StrEnum):
    DATA = "data"  # the run folder and the FASTQs
    RESULTS = "results"


class DigestedPart(enum.StrEnum):
    """The same for a job that digests."""

    DATA = "data"
    RUN = "run"  # the run folder alone: its manifests are closed before there are FASTQs
    RESULTS = "results"
