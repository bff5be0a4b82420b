"""Run the command line by ``python -m prakerja_eval``."""

from prakerja_eval.cli import main

main()
