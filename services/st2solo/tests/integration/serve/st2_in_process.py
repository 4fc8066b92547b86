"""Runs many commands of the unmodified st2client in one process: `st2` takes long to start.

Run by the Python of the environment of `st2`: a list of lists of arguments comes as JSON on the
standard input; a list of {code, out} goes to the standard output.
"""

import contextlib
import io
import json
import sys

from st2client import shell


def main():
    one = shell.Shell()
    answers = []
    for arguments in json.load(sys.stdin):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            try:
                code = one.run(arguments)
            except SystemExit as end:
                code = end.code
        answers.append({"code": code or 0, "out": out.getvalue()})
    json.dump(answers, sys.stdout)


main()
