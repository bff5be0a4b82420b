"""The command line."""

from prakerja_eval.cli.main import main

__all__ = ["main"]
