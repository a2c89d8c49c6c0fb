"""A row of the table: what a fault did, how often, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results" / "latest.json"
PAGE = PROJECT / "docs" / "fault-table.md"

LOSSES = ("lost", "repeated", "disordered", "stuck")


@dataclass(frozen=True)
class Row:
    """`on`: members of a toy service on the real runtime, or the whole system.

    `repeated` counts effects, `unknown` messages that a crash left in doubt, each named; `in_hand`
    what was being handed over at the hits (None: not looked at).
    `recovery_s` is the slowest: until everything told before the fault's end had taken effect
    (toys), or until what was hit worked again (the whole, `recovery`). `cpu_percent` is the
    busiest member's while it could only wait.
    """

    fault: str
    on: str
    runs: int
    events: int
    lost: int = 0
    repeated: int = 0
    disordered: int = 0
    stuck: int = 0
    unknown: int = 0
    recovery_s: float | None = None
    cpu_percent: float | None = None
    took_s: float = 0.0
    note: str = ""
    at: str = ""
    in_hand: int | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, repeated, disordered or stuck, and nothing is unknown but
        what was in hand: or a loss could be called unknown."""
        return not self.losses and self.unknown <= (self.in_hand or 0)

    @property
    def losses(self) -> int:
        """All that may never be."""
        return sum(getattr(self, loss) for loss in LOSSES)

    def as_line(self) -> str:
        """For the terminal."""
        losses = "".join(f"{getattr(self, loss):>11}" for loss in LOSSES)
        recovery = "-" if self.recovery_s is None else f"{self.recovery_s:.1f} s"
        cpu = "-" if self.cpu_percent is None else f"{self.cpu_percent:.0f} %"
        return (
            f"{self.fault:<46}{self.on:<7}{self.runs:>5}{self.events:>9}{losses}"
            f"{self.unknown:>9}{recovery:>10}{cpu:>7}"
        )


HEAD = (
    f"{'fault':<46}{'on':<7}{'runs':>5}{'events':>9}"
    f"{''.join(f'{loss:>11}' for loss in LOSSES)}{'unknown':>9}{'recovery':>10}{'cpu':>7}"
)


def keep(rows: Sequence[Row], about: dict[str, Any], order: Sequence[tuple[str, str]]) -> None:
    """The raw numbers, each row's of its latest run, in this order; and the page made of them."""
    latest = {(row.fault, row.on): row for row in (*_kept(), *rows)}
    never = [f"{name} ({on})" for name, on in order if (name, on) not in latest]
    rows_ = [asdict(latest[each]) for each in order if each in latest]
    document = {**about, "not_run": never, "rows": rows_}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    PAGE.write_text(page(document))


def _kept() -> list[Row]:
    if not RESULTS.exists():
        return []
    return [Row(**row) for row in json.loads(RESULTS.read_text()).get("rows", ())]


def page(document: dict[str, Any]) -> str:
    """The table for people, from the document that `keep` wrote."""
    rows = [Row(**row) for row in document["rows"]]
    runs, events = sum(row.runs for row in rows), sum(row.events for row in rows)
    losses = ", ".join(f"{sum(getattr(row, loss) for row in rows)} {loss}" for loss in LOSSES)
    days = sorted({row.at[:10] for row in rows})
    lines = [
        "# What faults do",
        "",
        f"Written by `make faults`, each row by its latest run ({', '.join(days)}; "
        f"{document['cpus']} processors, shared with other work); the raw numbers are in "
        "[latest.json](../tests/faults/results/latest.json).",
        f"In all {runs:,} faults and {events:,} events: {losses}.",
        "",
        "- *on*: `toy` is a service of two members (or as the row says) on the real runtime, with "
        "Kafka and PostgreSQL of their own; `whole` is all four services under load at every door.",
        "- *events*: told to the toys; said by all services of the whole.",
        "- *unknown*: messages that were being handed to a provider when the process died or the "
        "answer was cut off. A mail server cannot be asked, so nobody can tell whether they went; "
        "each is named by a `NotificationUnknown`, and the template's policy decides whether it "
        "goes again. Seen from outside such a message went once, twice or not at all; the note "
        "counts the last two, and what was in hand at the hits: no more may be unknown.",
        "- *recovery*: the slowest. Toys: from the fault's end (whoever was killed is ready again "
        "by then) until everything told before had taken effect, or as the note says. Whole: from "
        "the kill, SIGTERM or crash, the program's own start included (from the end of a freeze), "
        "until what was hit was ready, had all its partitions and had read what lay in them.",
        "- *CPU*: of the busiest member while it could only wait.",
        "",
        "| fault | on | runs | events | lost | repeated | disordered | stuck | unknown | recovery "
        "| CPU | note |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|",
        *map(_page_line, rows),
    ]
    if not_run := document.get("not_run"):
        lines += ["", f"Not run yet: {'; '.join(not_run)}."]
    return "\n".join(lines) + "\n"


def _page_line(row: Row) -> str:
    recovery = "" if row.recovery_s is None else f"{row.recovery_s:.1f} s"
    cpu = "" if row.cpu_percent is None else f"{row.cpu_percent:.0f} %"
    losses = " | ".join(str(getattr(row, loss)) for loss in LOSSES)
    return (
        f"| {row.fault} | {row.on} | {row.runs} | {row.events:,} | {losses} | {row.unknown} "
        f"| {recovery} | {cpu} | {row.note} |"
    )
