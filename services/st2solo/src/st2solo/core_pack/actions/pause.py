"""Waits, and gives back how many seconds."""

import random as chance
import time

from st2common.runners.base_action import Action


class Pause(Action):
    def run(self, max_pause: int, random: bool) -> int:  # type: ignore[override]  # its own
        seconds = chance.randint(1, max_pause) if random else max_pause
        time.sleep(seconds)
        return seconds
