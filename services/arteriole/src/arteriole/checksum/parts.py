"""What of an attempt a job is about: the data, or what analyses made of it."""

import enum


class Part(enum.StrEnum):
    DATA = "data"  # the run folder and the FASTQs
    RESULTS = "results"
