"""The guide: what to type for each task, run when the site is built; and the commands as their help tells them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from derive.document import Block, Code, Section, say
from derive.errors import WitnessError
from derive.printers.site import Goto, Typed
from derive.site.pages import Command, Page, Site, section, table
from derive.site.tasks import Task, tasks

LONGEST = 120  # seconds of a command
MOST_LINES = 60  # of what a command prints, on a page


@dataclass(frozen=True)
class Ran:
    """A task that was run. printed: by each command · files: what stands in those that are shown"""

    printed: tuple[str, ...]
    files: Mapping[str, str]


def pages(site: Site) -> Iterator[Page]:
    """A page for each task, one with all commands, and the list of them."""
    found = tuple(task for task in tasks() if task.id in site.tasks)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for task, shown in zip(found, pool.map(lambda task: ran(site, task), found), strict=True):
            title = site.words.plain(f"site_guide.{task.id}.title")
            document = site.sheet(title, list(told(task, shown)), (say(f"site_guide.{task.id}.what"),))
            yield Page(f"guide/{task.id}.html", title, document, found=False)
    title = site.words.plain("site.commands.title")
    sections = [of_command(command) for command in site.commands]
    yield Page("guide/commands.html", title, site.sheet(title, sections, (say("site.commands.intro"),)))
    yield index(site, found)


def index(site: Site, found: tuple[Task, ...]) -> Page:
    rows = [
        (Goto(f"guide/{task.id}.html", say(f"site_guide.{task.id}.title")), say(f"site_guide.{task.id}.what"))
        for task in found
    ]
    rows.append((Goto("guide/commands.html", say("site.commands.title")), say("site.commands.intro")))
    listed = section(
        "tasks", say("site.guide.tasks"), table("tasks/table", "pages", ("page", "content"), rows, broken=True)
    )
    title = site.words.plain("site.part.guide")
    return Page("guide/index.html", title, site.sheet(title, [listed], (say("site.guide.intro"),)))


def told(task: Task, shown: Ran) -> Iterator[Section]:
    """The files, and each command with what it prints."""
    files: list[Block] = []
    for name, text in task.files.items():
        files += [say("site.guide.file", name=Typed(name)), Code(text.strip())]
    if files:
        yield section("files", say("site.guide.files"), *files)
    for i, (command, output) in enumerate(zip(task.commands, shown.printed, strict=True), 1):
        yield section(f"command-{i}", Typed(command), say(f"site_guide.{task.id}.then_{i}"), Code(output, "console"))

    for i, (name, text) in enumerate(shown.files.items(), 1):
        yield section(f"file-{i}", Typed(name), say("site.guide.after", name=Typed(name)), Code(text.strip()))


def ran(site: Site, task: Task) -> Ran:
    """What the commands of a task print and write, one after another in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="derive-") as folder:
        for name, text in task.files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        output = tuple(printed(site, command, folder) for command in task.commands)
        return Ran(output, {name: (Path(folder) / name).read_text(encoding="utf-8") for name in task.shows})


def printed(site: Site, command: str, folder: str) -> str:
    """A command as it is typed, what it prints, and its exit code where that is not 0."""
    _, *words = shlex.split(command)
    if site.language != "en" and speaks(site, words[0]):
        command += f" --lang {site.language}"
        words += ["--lang", site.language]
    here = str(Path(__file__).parent.parent.parent)
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("DERIVE_", "COLUMNS"))}
    variables |= {"PYTHONPATH": here, "PYTHONIOENCODING": "utf-8", "COLUMNS": "96", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "derive.cli", *words],
        cwd=folder, env=variables, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, timeout=LONGEST,
    )  # fmt: skip
    if done.returncode not in (0, 1, 2):
        raise WitnessError(f"the guide: {command}: {done.stderr.strip()[-300:]}")
    lines = [*done.stdout.rstrip().splitlines(), *done.stderr.rstrip().splitlines()]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], "…"]
    code = ["", f"$ echo $?\n{done.returncode}"] if done.returncode else []
    return "\n".join([f"$ {command}", *lines, *code])


def speaks(site: Site, name: str) -> bool:
    """Whether a command has a choice of languages."""
    options = (option.name for command in site.commands if command.name == name for option in command.options)
    return any(option.startswith("--lang") for option in options)


def of_command(command: Command) -> Section:
    """A command as its help tells it."""
    blocks: list[Block] = [Code(command.usage, "console")]
    blocks += [say("site.text", text=paragraph) for paragraph in command.help]
    rows = [(Typed(option.name), option.help) for option in command.options]
    return section(
        command.name,
        Typed(f"derive {command.name}"),
        *blocks,
        table(f"{command.name}/options", "options", ("option", "meaning"), rows, broken=False),
    )
