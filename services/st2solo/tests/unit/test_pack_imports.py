"""What code of packs imports from StackStorm, in a Python that sees nothing else of ours."""

import subprocess
import sys

import pytest

from st2solo.runners.python_script import CHILD

#: Lines that packs have, and what they print.
_LINES = {
    "a logger": (
        "from st2common import log as logging\n"
        "LOG = logging.getLogger('lib.base')\n"
        "LOG.info('unseen')\nLOG.warning('seen')\nLOG.audit('also %s', 'seen')\n"
        "print(LOG.name, logging.getLogger('st2.x').name)\n",
        "seen\nalso seen\nst2.lib.base st2.x\n",
    ),
    "an action's logger": (
        "from st2common.runners.utils import get_logger_for_python_runner_action as get\n"
        "get('Act', 'info').info('begun')\n",
        "actions.python.Act: INFO     begun\n",
    ),
    "names of files": (
        "from st2common.constants.pack import MANIFEST_FILE_NAME, PACK_VERSION_SEPARATOR\n"
        "print(MANIFEST_FILE_NAME, PACK_VERSION_SEPARATOR)\n",
        "pack.yaml =\n",
    ),
    "a command": (
        "from st2common.util.shell import quote_unix, run_command\n"
        "print(run_command(['sh', '-c', 'echo out; echo err >&2; exit 3']), quote_unix('a b'))\n"
        "print(run_command('echo $X', shell=True, env={'X': 'x'}))\n",
        "(3, 'out\\n', 'err\\n') 'a b'\n(0, 'x\\n', '')\n",
    ),
    "green threads": (
        "import threading\nbefore = threading.Thread.start\n"
        "from st2common.util.monkey_patch import monkey_patch\nmonkey_patch()\n"
        "print(threading.Thread.start is before)\n",
        "True\n",
    ),
}


@pytest.mark.parametrize("name", _LINES)
def test_it_is_there(name):
    code, printed = _LINES[name]
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-E",
            "-c",
            f"import sys\nsys.path[:0] = [{str(CHILD / 'lib')!r}]\n{code}",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.stdout == printed
