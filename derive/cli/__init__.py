"""The command line: a thin skin. Everything heavy is imported inside the commands."""

from derive.cli import about, check, explain, lint, network, studies, train, worksheet
from derive.cli.group import main

__all__ = ["about", "check", "explain", "lint", "main", "network", "studies", "train", "worksheet"]
