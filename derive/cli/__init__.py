"""The command line: a thin skin. Everything heavy is imported inside the commands."""

from derive.cli import (
    about,
    check,
    code,
    explain,
    lint,
    network,
    site,
    studies,
    train,
    weave,
    worksheet,
)
from derive.cli.group import main

__all__ = [
    "about",
    "check",
    "code",
    "explain",
    "lint",
    "main",
    "network",
    "site",
    "studies",
    "train",
    "weave",
    "worksheet",
]
