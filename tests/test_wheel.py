"""The wheel, installed elsewhere: it works without the checkout it was built from."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import derive
from derive.language import Words

pytestmark = pytest.mark.xdist_group("wheel")  # one process makes what these tests share

ROOT = Path(__file__).parent.parent

# Runs first in the new environment: whatever opens or lists a file of the checkout fails.
WATCH = """
import sys
FORBIDDEN = {forbidden!r}
def watch(event, args):
    if event in ("open", "os.listdir", "os.scandir") and args and str(args[0]).startswith(FORBIDDEN):
        raise RuntimeError(f"the checkout was used: {{event}} {{args[0]}}")
sys.addaudithook(watch)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed, without this process's Python settings."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV_"))}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def bin(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment with the wheel in it; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("elsewhere") / "env"
    venv.create(folder, symlinks=os.name != "nt")  # the pip of this environment installs into it
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", programs / "python")
    run(*pip, "install", "-q", "--no-deps", "--no-index", "--no-compile", wheel, cwd=folder)
    asked = run(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    site = Path(asked.strip())
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    # A folder added by a .pth file is searched last, and .pth files inside it (an editable derive) are not read.
    (site / "dependencies.pth").write_text("\n".join(sorted(here)), encoding="utf-8")
    forbidden = tuple(str(ROOT / name) + os.sep for name in ("derive", "templates", "tests"))
    (site / "sitecustomize.py").write_text(WATCH.format(forbidden=forbidden), encoding="utf-8")
    return programs


def test_the_wheel_packs_what_derive_reads(wheel: Path):
    packed = set(zipfile.ZipFile(wheel).namelist())
    kinds = {".py", ".toml", ".yaml", ".woff2", ".typed"}
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "derive").rglob("*") if path.suffix in kinds}
    wanted |= {"derive/py.typed", "derive/fonts/GUST-FONT-LICENSE.txt"}
    templates = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    wanted |= {f"derive/{path.relative_to(ROOT).as_posix()}" for path in templates}
    wanted -= {"derive/fonts/build.py"}
    assert wanted - packed == set()
    assert {name for name in packed if not name.startswith("derive/") and ".dist-info/" not in name} == set()


def test_the_wheel_works_elsewhere(bin: Path, tmp_path: Path):
    assert derive.__version__ in run(bin / "derive", "--version", cwd=tmp_path)
    assert "mazur" in run(bin / "derive", "list", cwd=tmp_path)
    run(bin / "derive", "backprop", "mazur", "-f", "html", "-f", "latex", "-o", tmp_path / "out", cwd=tmp_path)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    written = {path.suffix: path.read_text(encoding="utf-8") for path in files}
    assert {".html", ".tex"} <= written.keys()
    font = base64.b64encode((ROOT / "derive/fonts/latin-modern-math.woff2").read_bytes()).decode()
    assert font in written[".html"]
    assert "0.2984" in written[".html"]  # the loss, in the four digits of the default
    assert r"\documentclass" in written[".tex"]
    chinese = run(bin / "derive", "backprop", "mazur", "--lang", "zh", "-f", "text", "-o", "-", cwd=tmp_path)
    assert Words("zh").plain("section.givens") in chinese


def test_the_checkout_is_out_of_reach(bin: Path, tmp_path: Path):
    """The watch of the test above sees what it is there to see."""
    place = run(bin / "python", "-c", "import derive; print(derive.__file__)", cwd=tmp_path)
    assert Path(place.strip()).is_relative_to(bin.parent)
    peek = f"try: open({str(ROOT / 'derive' / '__init__.py')!r})\nexcept RuntimeError: print('seen')"
    assert run(bin / "python", "-c", peek, cwd=tmp_path) == "seen\n"
