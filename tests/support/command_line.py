"""The command line, run within a test."""

import sys

from facevox.app import cli


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, stdout, stderr."""
    old, sys.argv = sys.argv, ["facevox", *map(str, arguments)]
    try:
        cli.main()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        sys.argv = old
    out, err = capsys.readouterr()
    return code, out, err
