"""Cases that are kept as YAML: every file is read once, by libyaml where it is there, ten times as fast as PyYAML's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def recorded(path: Path, loader: Any = FAST) -> Any:
    """What a file of cases says; not to be changed, since others are given the same.

    loader: libyaml's, or `yaml.SafeLoader` for a file with characters that libyaml refuses
    """
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
