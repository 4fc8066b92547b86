"""A service's state belongs to one process at a time."""

import os
import threading

import pytest

from arteriole.app.claim import StateInUseError, claim, turn


def test_a_state_is_claimed_once_until_its_process_lets_go(tmp_path):
    home = tmp_path / "state" / "runfolder"
    held = claim(home)
    with pytest.raises(StateInUseError, match=f"in use by .* process {os.getpid()}$") as error:
        claim(home)
    assert error.value.hint
    os.close(claim(home.with_name("transfer")))
    os.close(held)
    os.close(claim(home))


def test_turns_come_one_after_the_other(tmp_path):
    inside, most = [0], [0]

    def work():
        for _ in range(50):
            with turn(tmp_path / "new" / ".turn"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
