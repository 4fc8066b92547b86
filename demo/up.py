"""`make up`: the whole system, in var/up; what is there is kept from one start to the next."""

import sys
import threading

from rich.console import Console
from rich.text import Text

from demo.machine import ROOT, Machine, MachineError, alone_in, chosen_ports, end_on_signals
from demo.watch import suggest


def _up(console: Console, machine: Machine) -> None:
    machine.home.mkdir(parents=True, exist_ok=True)
    machine.lay_out()
    try:
        machine.start()
        console.print(f"up. Run folders that appear in {machine.incoming} are worked on.")
        suggest(console, machine)
        console.print("\nStop it with Ctrl-C; nothing is lost.")
        threading.Event().wait()
    finally:
        machine.stop()


def main() -> None:
    console = Console()
    end_on_signals()
    try:
        machine = Machine(ROOT / "var" / "up", chosen_ports())
        with alone_in(machine.home):
            _up(console, machine)
    except MachineError as err:
        console.print(Text(str(err), style="bold red"), soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
