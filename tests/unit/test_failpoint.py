"""Failpoints: a place where a process dies is named in one list and exists in the code."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.runtime import failpoint
from shared.runtime.settings import WrongSetting

PROJECT = Path(__file__).parents[2]


def test_every_place_on_the_list_is_in_the_code_once_and_no_other_is() -> None:
    code = [
        file.read_text()
        for folder in ("shared", "services", "relance")
        for file in (PROJECT / folder).rglob("*.py")
    ]
    places = re.findall(r'failpoint\.here\("([a-z._]+)"\)', "\n".join(code))
    assert sorted(places) == sorted(failpoint.PLACES)


def test_a_place_that_is_none_is_refused_in_one_sentence() -> None:
    for wrong in ("relay.sent", "relay.published:often"):
        with pytest.raises(WrongSetting, match=r"names no failpoint: it is one of batch\.begun"):
            failpoint.arm(wrong)
    failpoint.arm("")
    failpoint.here("relay.published")


def test_a_process_dies_the_fifth_time_it_comes_there_and_nowhere_else() -> None:
    lines = [
        "from shared.runtime import failpoint",
        "failpoint.arm('relay.published:5')",
        "for turn in range(1, 9):",
        "    failpoint.here('relay.begun')",
        "    print(turn, flush=True)",
        "    failpoint.here('relay.published')",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env=dict(os.environ),
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == ["1", "2", "3", "4", "5"]
