"""Lessons: where a formula comes from."""

from __future__ import annotations

from typing import Any

import click

from derive.cli.group import main
from derive.cli.options import completed_topics, page
from derive.cli.output import run


@main.command()
@click.argument("topic", shell_complete=completed_topics)
@page
def explain(topic: str, **options: Any) -> None:
    """A lesson: where a formula comes from, step by step, each step checked.

    TOPIC is one of `derive list`, such as sigmoid or adam.
    """
    from derive.teaching import explain as explained

    run(f"explain-{topic}", lambda progress, **wishes: explained(topic, **wishes), **options)
