"""The core that the image runs is compiled: it says the same as its source, event for event."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.component import core_tapes

CHECKOUT = Path(__file__).resolve().parents[2]
COMPILE = CHECKOUT / "deploy" / "compile.py"
HEADERS = Path(sysconfig.get_paths()["include"]) / "Python.h"

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or not HEADERS.exists(),
    reason="gcc and Python's headers are not installed (Debian: gcc, python3-dev)",
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages with the compiled core; compiled quickly, not to run quickly."""
    folder = tmp_path_factory.mktemp("compiled")
    environment = {**os.environ, "RELANCE_COMPILE_LEVEL": "0"}
    subprocess.run([sys.executable, COMPILE, folder], env=environment, check=True)
    return folder


def _asked(compiled: Path) -> dict[str, Any]:
    path = os.pathsep.join(map(str, (compiled, CHECKOUT)))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", core_tapes.__name__]
    told = subprocess.run(command, env=environment, check=True, capture_output=True)
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def test_the_compiled_core_says_what_its_source_says_in_every_scenario(compiled: Path) -> None:
    answer = _asked(compiled)
    assert Path(answer["engine"]).suffix == ".so", "what was asked was not compiled"
    assert answer["digests"] == core_tapes.digests()


def test_a_copy_made_of_the_same_sources_is_not_made_again(compiled: Path) -> None:
    before = (compiled / "made-of").stat().st_mtime_ns
    environment = {**os.environ, "RELANCE_COMPILE_LEVEL": "0"}
    subprocess.run([sys.executable, COMPILE, compiled], env=environment, check=True)
    assert (compiled / "made-of").stat().st_mtime_ns == before


@pytest.mark.parametrize("asked", [[], [str(CHECKOUT)]])
def test_it_never_writes_over_the_source(asked: list[str]) -> None:
    refused = subprocess.run(
        [sys.executable, COMPILE, *asked], check=False, capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "FOLDER" in refused.stderr or "holds the source itself" in refused.stderr
