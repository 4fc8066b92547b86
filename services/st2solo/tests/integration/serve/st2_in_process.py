"""Runs many commands of the unmodified st2client, each in a fork: `st2` takes long to start.

Run by the Python of the environment of `st2`: a list of lists of arguments comes as JSON on the
standard input; a list of {code, out} goes to the standard output. A process of its own for each,
since st2client changes its own lists of attributes when it prints them.
"""

import json
import os
import sys
import tempfile

from st2client import shell


def run(one, arguments):
    with tempfile.TemporaryFile() as out:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            try:
                code = one.run(arguments)
            except SystemExit as end:
                code = end.code
            sys.stdout.flush()
            os._exit(code or 0)
        _, status = os.waitpid(child, 0)
        out.seek(0)
        return {"code": os.waitstatus_to_exitcode(status), "out": out.read().decode()}


def main():
    steps, one = json.load(sys.stdin), shell.Shell()
    json.dump([run(one, arguments) for arguments in steps], sys.stdout)


main()
