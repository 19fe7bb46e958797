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
    """A lesson, or a derivative: where a formula comes from, step by step, each step checked.

    TOPIC is one of `derive list`, such as sigmoid or adam, or a derivative such as "d/dz log(1+exp(-z))",
    "∂/∂w (w*x - y)^2" or "d^2/dz^2 tanh(z)".
    """
    from derive.derivatives import called_in_output, is_meant
    from derive.teaching import explain as explained

    name = called_in_output(topic) if is_meant(topic) else topic
    run(f"explain-{name}", lambda progress, **wishes: explained(topic, **wishes), **options)
