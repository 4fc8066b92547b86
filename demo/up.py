"""`make up`: the whole system, in var/up; what is there is kept from one start to the next.

It only observes, unless told `--mode act`.
"""

import argparse
import sys
import threading

from rich.console import Console
from rich.text import Text

from demo.machine import ROOT, Machine, MachineError, alone_in, chosen_ports, end_on_signals
from demo.watch import suggest

#: What becomes of a run folder that appears.
DEEDS = {
    "observe": "checked, and what would be done with them is recorded; nothing else is done"
    " (MODE=act does it)",
    "act": "worked on",
}


def _up(console: Console, machine: Machine, mode: str) -> None:
    machine.home.mkdir(parents=True, exist_ok=True)
    machine.lay_out(mode=mode)
    try:
        machine.start()
        console.print(
            Text(f"up. Run folders that appear in {machine.incoming} are {DEEDS[mode]}."),
            soft_wrap=True,
        )
        suggest(console, machine)
        console.print("\nStop it with Ctrl-C; nothing is lost.")
        threading.Event().wait()
    finally:
        machine.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=tuple(DEEDS), default="observe")
    mode = parser.parse_args().mode
    console = Console()
    end_on_signals()
    try:
        machine = Machine(ROOT / "var" / "up", chosen_ports())
        with alone_in(machine.home):
            _up(console, machine, mode)
    except MachineError as err:
        console.print(Text(str(err), style="bold red"), soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
