"""A number and its word agree on every screen: `1 lead`, never `1 leads`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from relance.audit import Report
from relance.audit_command import as_text as audit_text
from relance.demo.checks import Check
from relance.demo.screen import Screen
from relance.stack.home import PROJECT
from relance.status import MEANINGS, ServiceStatus, Status
from relance.status import as_text as status_text
from shared.domain.count import counted, noun
from tests.unit.test_status import AT

_PLURAL = re.compile(
    r" ?(?:(?:open|more|earlier) )?(?:leads|events|messages|records|rules|rows|scenarios|states"
    r"|steps|checks|mutants|members|partitions|replicas|brokers|tasks|attempts|replies|parts"
    r"|characters|sequences|inputs|deadlines|conversations)\b(?! to )"
)
_SEVERAL = {  # never of one: it is said only where there are more
    "{len(found)} leads have this number",
    "{len(found)} leads have the number ",
    "{len(leads)} open leads: ",
    "{value} replicas: or nobody could write",
}


def test_one_stands_before_the_singular_and_any_other_number_before_the_plural() -> None:
    assert [counted(many, "lead") for many in (0, 1, 2, 1_200)] == [
        "0 leads", "1 lead", "2 leads", "1,200 leads",
    ]  # fmt: skip
    assert counted(1, "reply", "replies") == "1 reply"
    assert counted(3, "reply", "replies") == "3 replies"
    assert [noun(many, "waits", "wait") for many in (1, 2)] == ["waits", "wait"]


def test_status_of_one_of_each_is_told_in_the_singular() -> None:
    service = ServiceStatus("pipeline", "live", "ready", dict.fromkeys(MEANINGS, 1))
    text = status_text(Status(AT, "answers", [service]))

    assert "1 open lead\n" in text
    assert "1 event set aside" in text
    assert "1 message waits (held" in text
    assert not re.search(r"\b1 \w*(leads|events|messages|deadlines)\b", text)


def test_an_audit_of_one_of_each_is_told_in_the_singular() -> None:
    counts = dict.fromkeys(("accepted", "leads", "events", "deadlines", "messages_sent"), 1)
    under_way = {"events that wait (relance dead-letters list)": 1, "messages in hand": 2}
    text = audit_text(Report(counts, (), under_way=under_way))

    assert "1  input on intake.events.v1" in text
    assert "1  lead\n" in text
    assert "1  event that waits (relance" in text
    assert "2  messages in hand" in text


def test_the_demo_counts_one_check_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().summary([Check("told", True, "")], "1 lead", "")
    Screen().summary([Check("told", False, "")], "1 lead", "")

    told = capsys.readouterr().out
    assert "All 1 check holds." in told
    assert "1 of 1 check does not hold." in told


def _counts_before_plurals(file: Path) -> Iterator[str]:
    """Each f-string in which a value stands right before a plural."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, words in zip(node.values, node.values[1:], strict=False):
            if not isinstance(value, ast.FormattedValue) or not isinstance(words, ast.Constant):
                continue
            named, follows = ast.unparse(value.value), str(words.value)
            if _PLURAL.match(follows) and not named.isupper():  # a constant is known
                yield f"{{{named}}}{follows}"


def test_no_number_is_written_before_a_plural_that_does_not_look_at_it() -> None:
    rooms = [PROJECT / room for room in ("relance", "services", "shared")]
    files = [file for room in rooms for file in sorted(room.rglob("*.py"))]
    found = {
        f"{file.relative_to(PROJECT)}: {said}"
        for file in files
        for said in _counts_before_plurals(file)
        if not any(said.startswith(known) for known in _SEVERAL)
    }

    assert found == set()
