"""`python -m facevox` is the command line."""

from facevox.app.cli import main

main()
