"""The copy of the packages whose core is compiled, as the image has it: made, and run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from relance.stack.home import PROJECT
from services.pipeline.core import engine


def make(folder: Path, **settings: str) -> bool:
    """Make it, unless it is made of just these sources; whether it is there."""
    command = [sys.executable, str(PROJECT / "deploy" / "compile.py"), str(folder)]
    return subprocess.run(command, env={**os.environ, **settings}, check=False).returncode == 0


def environment(folder: Path) -> dict[str, str]:
    """In which a Python finds the copy before the checkout: the working directory never comes
    first, in what it starts neither."""
    path = os.pathsep.join(map(str, (folder, PROJECT)))
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def runs(folder: Path) -> bool:
    """Whether this process runs it."""
    return Path(engine.__file__).is_relative_to(folder)
