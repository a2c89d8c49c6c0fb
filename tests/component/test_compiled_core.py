"""The core that the image runs is compiled: it says the same as its source, event for event."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compiled
from relance.stack.home import PROJECT
from tests.component import core_tapes

COMPILE = PROJECT / "deploy" / "compile.py"
QUICKLY = {"RELANCE_COMPILE_LEVEL": "0"}
"""To be compiled quickly, not to run quickly."""
HEADERS = Path(sysconfig.get_paths()["include"]) / "Python.h"

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or not HEADERS.exists(),
    reason="gcc and Python's headers are not installed (Debian: gcc, python3-dev)",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages with the compiled core."""
    made = tmp_path_factory.mktemp("compiled")
    assert compiled.make(made, **QUICKLY)
    return made


def _asked(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", core_tapes.__name__]
    environment = compiled.environment(folder)
    told = subprocess.run(command, env=environment, check=True, capture_output=True)
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def test_the_compiled_core_says_what_its_source_says_in_every_scenario(folder: Path) -> None:
    answer = _asked(folder)
    assert Path(answer["engine"]).suffix == ".so", "what was asked was not compiled"
    assert answer["digests"] == core_tapes.digests()


def test_a_copy_made_of_the_same_sources_is_not_made_again(folder: Path) -> None:
    before = (folder / "made-of").stat().st_mtime_ns
    assert compiled.make(folder, **QUICKLY)
    assert (folder / "made-of").stat().st_mtime_ns == before


@pytest.mark.parametrize("asked", [PROJECT, PROJECT / "shared", PROJECT / "docs"])
def test_a_folder_that_holds_something_else_is_left_alone(asked: Path) -> None:
    before = sorted(asked.iterdir())
    refused = subprocess.run([sys.executable, COMPILE, asked], check=False, capture_output=True)
    assert (refused.returncode, sorted(asked.iterdir())) == (1, before)
    assert b"holds something else" in refused.stderr


def test_without_a_folder_it_says_how_it_is_used() -> None:
    refused = subprocess.run([sys.executable, COMPILE], check=False, capture_output=True)
    assert (refused.returncode, b"FOLDER" in refused.stderr) == (1, True)
