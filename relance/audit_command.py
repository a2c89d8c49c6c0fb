"""`relance audit`: of a system at rest, or with `--since` of one at work; for whoever runs it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from textwrap import wrap

import httpx2
from aiokafka.errors import KafkaError

from relance import audit_since
from relance.audit import Report, audit
from relance.database import CannotDo
from relance.ledgers import read_ledgers
from relance.stack.ports import Ports
from shared.runtime import clock

WIDTH = 80
FAULT_WIDTH = 14
MOST_SHOWN = 40

_COUNTED = {
    "accepted": "inputs on intake.events.v1",
    "leads": "leads",
    "events": "events",
    "repeated_records": "records published again (repeats, crashes), dropped by readers",
    "deadlines": "deadlines set",
    "messages_sent": "messages sent",
    "messages_unknown": "messages that may have gone or not: nobody knows",
}
"""Each begins with its plural, as what is under way does."""
_BOOKS = {
    "messages_twice": "handed over once more than told",
    "messages_missing": "taken for sent, and at no provider",
}


class CannotAudit(CannotDo):
    """What is not there to be read."""


async def audited(
    kafka: str | None = None,
    postgres: str | None = None,
    mail_url: str | None = None,
    sms_url: str | None = None,
    since: str | None = None,
) -> Report:
    """Read everything and compare it; with `since` (`2h`, or an ISO time) what was said since.

    Without `kafka` and `postgres`: RELANCE_KAFKA and RELANCE_POSTGRES, else the local stack. With
    `mail_url` or `sms_url` (the local mail catcher, the SMS sandbox's service) their books are
    compared too. Raises `CannotDo` in a sentence.
    """
    kafka = kafka or os.environ.get("RELANCE_KAFKA")
    kafka = kafka or f"127.0.0.1:{Ports.of_environment().kafka}"
    if since is not None:
        now = clock.now()
        return await audit_since.audited(audit_since.instant(since, now), kafka, postgres)
    try:
        ledgers = await read_ledgers(
            kafka=kafka, postgres=postgres, mail_url=mail_url, sms_url=sms_url, at=clock.now()
        )
    except KafkaError as error:
        raise CannotAudit(
            f"Kafka cannot be read at {kafka} ({type(error).__name__}). Is the stack running "
            "(`make up`)? Another address is given by --kafka or RELANCE_KAFKA."
        ) from error
    except (httpx2.HTTPError, ValueError) as error:
        raise CannotAudit(
            f"A provider's book cannot be read ({type(error).__name__}: {error}): give the "
            "addresses of the local mail catcher and of notifications, or leave them out."
        ) from error
    return audit(ledgers)


def as_text(report: Report) -> str:
    """For people: the counts, then every finding, in 80 columns."""
    return "\n".join(
        [*_counts(report), *_under_way(report), "", *_findings(report), *_conclusion(report)]
    )


def as_json(report: Report) -> str:
    """For programs: `{"ok", "counts", "findings": [{"fault", "about", "sentence"}]}`."""
    findings = [asdict(finding) for finding in report.findings]
    whole = {"ok": report.ok, "counts": dict(report.counts), "findings": findings}
    if report.under_way:
        whole["under_way"] = dict(report.under_way)
    return json.dumps(whole, ensure_ascii=False, indent=1)


def _counts(report: Report) -> Iterator[str]:
    shown = dict(_COUNTED)
    if report.books:
        books = " and ".join(sorted(report.books))
        shown |= {name: f"{words} ({books})" for name, words in _BOOKS.items()}
    for name, words in shown.items():
        if name not in report.counts:
            continue
        yield _line(report.counts[name], words)


def _under_way(report: Report) -> Iterator[str]:
    if report.under_way:
        yield from ("", "under way, as it should be:")
    for words, many in report.under_way.items():
        yield _line(many, words)


def _line(many: int, words: str) -> str:
    """A number under the others; of 1 the words begin with their singular."""
    first, space, rest = words.partition(" ")
    one = first.removesuffix("s") + space + rest.replace("that wait ", "that waits ")
    return f"{many:>9,}  {one if many == 1 else words}"


def _findings(report: Report) -> Iterator[str]:
    for finding in report.findings[:MOST_SHOWN]:
        head = f"{finding.fault.replace('_', ' '):<{FAULT_WIDTH}}"
        yield from wrap(
            finding.sentence, WIDTH, initial_indent=head, subsequent_indent=" " * FAULT_WIDTH
        )
    if len(report.findings) > MOST_SHOWN:
        yield f"… and {len(report.findings) - MOST_SHOWN} more: --json has all of them."


def _conclusion(report: Report) -> Iterator[str]:
    if report.ok:
        yield "Nothing found: nothing lost, nothing repeated, order kept, nobody told twice."
        return
    kinds = Counter(finding.fault.replace("_", " ") for finding in report.findings)
    told = ", ".join(f"{many} {kind}" for kind, many in kinds.most_common())
    yield from ("", *wrap(f"{len(report.findings)} found: {told}.", WIDTH))
    at_work = (
        "" if report.under_way else "What is on its way looks stuck or lost: if the system is at "
        "work, look with --since instead. "
    )  # fmt: skip
    yield from wrap(f"{at_work}`relance dead-letters list` tells of what was set aside.", WIDTH)
