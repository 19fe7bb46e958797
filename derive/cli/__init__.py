"""The command line: a thin skin. Everything heavy is imported inside the commands."""

from derive.cli import about, explain, network, studies, train
from derive.cli.group import main

__all__ = ["about", "explain", "main", "network", "studies", "train"]
