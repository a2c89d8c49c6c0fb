"""`make faults`: each fault for itself, many times, then all of them at once."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relance.stack.stack import SERVICES
from tests.faults.ground import api_keys, burning_stack, expected_messages, seed
from tests.faults.scourge import HEAD, Plague, Scourge

RESULTS = Path(__file__).parent / "results" / "latest.json"
INPUTS = 60
INPUTS_PER_S = 8.0  # and as many actions
MISHAPS = 15
CRASHES = 4


def kills() -> int:
    """RELANCE_FAULTS_KILLS: a third of them in the middle of everything else."""
    return int(os.environ.get("RELANCE_FAULTS_KILLS") or 60)


def scourges(kills: int) -> list[Scourge]:
    each = max(1, kills // 6)
    together = max(len(SERVICES), kills - each * len(SERVICES))
    alone = [Scourge(f"kill -9 {name}", kills=each, services=(name,)) for name in SERVICES]
    return [
        *alone,
        Scourge("PostgreSQL crash and restart", crashes=CRASHES),
        Scourge("SMS provider: 503", sms={"fail": 1}, mishaps=MISHAPS),
        Scourge("SMS provider: taken, answer lost", sms={"drop": 1}, mishaps=MISHAPS),
        Scourge("mail server: 451", mail={"reply": "451"}, mishaps=MISHAPS),
        Scourge("mail server: cut off, kept", mail=_cut_off(keep=True), mishaps=MISHAPS),
        Scourge("mail server: cut off, not kept", mail=_cut_off(keep=False), mishaps=MISHAPS),
        Scourge(
            "all at once",
            kills=together,
            crashes=2,
            sms={"fail": 1, "drop": 1},
            mail=_cut_off(keep=True),
            mishaps=MISHAPS,
        ),
    ]


def _cut_off(*, keep: bool) -> dict[str, object]:
    return {"drop_after_data": True, "keep": keep}


@pytest.mark.long
async def test_no_fault_loses_repeats_or_swaps_anything_however_often(
    capsys: pytest.CaptureFixture[str],
) -> None:
    number = seed()

    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    too_many: list[str] = []
    with burning_stack() as stack:
        plague = Plague(stack, await api_keys(stack), number)
        say(f"\nRELANCE_FAULTS_SEED={number}, {kills()} kills\n{HEAD}")
        for scourge in scourges(kills()):
            row = await plague.visit(scourge, at_least=INPUTS, per_s=INPUTS_PER_S)
            say(row.as_line())
            assert plague.verdict is not None
            if any(row.found.values()):
                say(plague.verdict.first_findings())
            if not row.twice + row.missing <= row.unknown <= scourge.unknown_at_most:
                too_many.append(f"{row.as_line()} (unknown at most {scourge.unknown_at_most})")
        assert plague.verdict is not None
        expected = await expected_messages(stack, plague.verdict.ledgers)
    _keep(number, plague)
    assert not too_many
    assert plague.verdict.report.ok, plague.verdict.first_findings()
    assert plague.verdict.ledgers.messages.keys() == expected


def _keep(number: int, plague: Plague) -> None:
    assert plague.verdict is not None
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": number,
        "kills": kills(),
        "ok": plague.verdict.report.ok,
        "counts": dict(plague.verdict.report.counts),
        "faults": [row.as_json() for row in plague.rows],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
