from pathlib import Path

from relance.stack.process import Child
from relance.stack.supervisor import Part, Supervisor


class DyingPart:
    """A part whose process is never alive when looked at."""

    def __init__(self, log: Path) -> None:
        self.child = Child("pipeline", ["false"], log)
        self.launched = 0

    def launch(self) -> None:
        self.launched += 1


def test_what_died_starts_again_later_each_time(tmp_path: Path) -> None:
    log = tmp_path / "pipeline.log"
    log.write_text("one\nlast words\n")
    part, said = DyingPart(log), list[str]()
    parts: list[Part] = [part]
    supervisor = Supervisor(parts, said.append)
    starts = []
    for tenth in range(100):
        before = part.launched
        supervisor.look(now_s=tenth / 10)
        if part.launched > before:
            starts.append(tenth / 10)
    assert starts == [1.0, 3.1, 7.2]  # pauses of 1, 2 and 4 s, each noticed a look later
    assert "pipeline ended unexpectedly" in said[0]
    assert "last words" in said[0]
