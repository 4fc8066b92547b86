"""Whether Arteriole acts, or only observes what it would do."""

import enum


class Mode(enum.StrEnum):
    """`observe` checks and records what would be started; nothing outside our own store changes."""

    OBSERVE = "observe"
    ACT = "act"
