"""Lessons: where a formula comes from."""

from __future__ import annotations

from typing import Any

import click

from derive.cli.group import main
from derive.cli.options import completed_topics, page
from derive.cli.output import run


@main.command()
@click.argument("topic", required=False, shell_complete=completed_topics)
@click.option("--all", "every", is_flag=True, help="All lessons, chapter by chapter, in one file: output/lessons/.")
@page
def explain(topic: str | None, every: bool, **options: Any) -> None:
    """A lesson, or a derivative: where a formula comes from, step by step, each step checked.

    TOPIC is one of `derive list`, such as sigmoid or adam, or a derivative such as "d/dz log(1+exp(-z))",
    "∂/∂w (w*x - y)^2" or "d^2/dz^2 tanh(z)".
    """
    from derive.derivatives import called_in_output, is_meant
    from derive.teaching import explain as explained
    from derive.teaching import explain_all

    if every is bool(topic):
        raise click.UsageError("give either a TOPIC or --all", click.get_current_context())
    if topic:
        name = called_in_output(topic) if is_meant(topic) else topic
        run(f"explain-{name}", lambda progress, **wishes: explained(topic, **wishes), **options)
        return
    if options["only"]:
        raise click.UsageError("--only is for one topic", click.get_current_context())
    options["of_all"] = True
    run("lessons", lambda progress, only, **wishes: explain_all(progress=progress.steps, **wishes), **options)
