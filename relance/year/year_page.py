"""The year on one screen of 80 columns, and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import quantiles
from typing import Any

from relance.year.tally import Name, Tally
from relance.year.year import Plan
from shared.domain.count import counted
from shared.domain.rulebook.rulebook import Rulebook

WIDTH = 80
ROWS_AT_MOST = 8
"""More of a kind are summed up in one line."""


def as_data(tally: Tally, plan: Plan, sms_price: float) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "rulebook": plan.rulebook.name,
        "days": plan.days,
        "leads_per_day": plan.leads_per_day,
        "seed": plan.seed,
        "leads": _named(tally.leads, ("pipeline", "channel")),
        "closed": _named(tally.ended, ("pipeline", "status", "reason")),
        "still_open": _created(tally) - sum(tally.ended.values()) + tally.happened["reopened"],
        "happened": dict(sorted((str(k), v) for k, v in tally.happened.items())),
        "refused": {name[0]: count for name, count in sorted(tally.refused.items())},
        "messages": _named(tally.messages, ("template", "channel", "to")),
        "sms_parts": sum(tally.sms_parts.values()),
        "sms_cost": round(sum(tally.sms_parts.values()) * sms_price, 2),
        "minutes_to_first_try": _spread(tally.first_try_minutes),
        "minutes_to_first_conversation": _spread(tally.first_contact_minutes),
        "without_next_step": sum(tally.forgotten.values()),
        "without_next_step_where": _named(tally.forgotten, ("pipeline", "stage")),
    }


def as_text(tally: Tally, plan: Plan, book: Rulebook, sms_price: float) -> str:
    """What people would have lived."""
    data = as_data(tally, plan, sms_price)
    told = f"{counted(plan.days, 'day')} of {book.name}, {counted(plan.leads_per_day, 'lead')} a"
    lines = [f"{told} weekday, seed {plan.seed}", f"version {book.version}", "─" * WIDTH]
    lines += [*_leads(data), *_ends(data, book), *_duties(data), *_messages(data)]
    bare = data["without_next_step"]
    mark = "✓" if bare == 0 else "✗"
    were = counted(bare, "open lead was", "open leads were")
    lines += ["", f"{mark} {were} ever without a next step"]
    for each in data["without_next_step_where"]:
        lines.append(f"    {each['pipeline']}.{each['stage']}: {each['count']:,}")
    return "\n".join(lines)


def _leads(data: Mapping[str, Any]) -> Iterator[str]:
    total = sum(each["count"] for each in data["leads"])
    yield f"{counted(total, 'lead')}, {data['still_open']:,} still open at the end"
    ways: Counter[str] = Counter()
    for each in data["leads"]:
        ways[f"{each['pipeline']} by {each['channel']}"] += each["count"]
    yield from _table(ways)


def _ends(data: Mapping[str, Any], book: Rulebook) -> Iterator[str]:
    yield ""
    yield "How they ended"
    ends: Counter[str] = Counter()
    several = len({each["pipeline"] for each in data["closed"]}) > 1
    for each in data["closed"]:
        known = book.reasons.get(each["reason"])
        reason = f": {known.label if known else each['reason']}" if each["reason"] else ""
        where = f"{each['pipeline']} " if several else ""
        ends[f"{where}{each['status']}{reason}"] += each["count"]
    yield from _table(ends)


def _duties(data: Mapping[str, Any]) -> Iterator[str]:
    happened = data["happened"]
    yield ""
    yield (
        f"{counted(happened.get('tasks', 0), 'task')}, "
        f"{counted(happened.get('overdue', 0), 'time')} overdue; "
        f"{counted(happened.get('late', 0), 'lead')} late"
    )
    yield (
        f"{counted(happened.get('attempts', 0), 'attempt')}, "
        f"{counted(happened.get('conversations', 0), 'conversation')}, "
        f"{counted(happened.get('replies', 0), 'reply', 'replies')}"
    )
    if waited := happened.get("waited for a return"):
        were = counted(waited, "lead", "leads")
        yield f"{were} waited, untold to anybody, for whoever is away to come back"
    if cost := happened.get("attempt cost"):
        yield f"The attempts cost {cost:,}"
    for what in ("try", "conversation"):
        spread = data[f"minutes_to_first_{what}"]
        if spread:
            yield (
                f"First {what} after {_time(spread['half'])} (half of the leads), "
                f"{_time(spread['nine_tenths'])} (nine tenths)"
            )


def _messages(data: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    total = sum(each["count"] for each in data["messages"])
    yield (
        f"{counted(total, 'message')}; "
        f"{counted(data['sms_parts'], 'SMS part costs', 'SMS parts cost')} {data['sms_cost']:,.2f}"
    )
    sent: Counter[str] = Counter()
    for each in data["messages"]:
        sent[f"{each['template']} by {each['channel']} to the {each['to']}"] += each["count"]
    yield from _table(sent)


def _table(counts: Counter[str]) -> Iterator[str]:
    """The most frequent first, as many as fit; the rest in one line."""
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown, rest = ranked[:ROWS_AT_MOST], ranked[ROWS_AT_MOST:]
    if rest:
        shown.append((counted(len(rest), "other"), sum(count for _, count in rest)))
    most = max(counts.values(), default=1)
    for name, count in shown:
        bar = "▪" * round(20 * min(count, most) / most)
        yield f"  {name[:44]:<44} {count:>9,}  {bar}".rstrip()


def _named(counts: Counter[Name], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {**dict(zip(names, key, strict=True)), "count": count}
        for key, count in sorted(counts.items())
    ]


def _created(tally: Tally) -> int:
    return sum(tally.leads.values())


def _spread(minutes: list[int]) -> dict[str, int]:
    """Half of them took at most so long, and nine tenths."""
    if len(minutes) < 2:
        return {}
    cuts = quantiles(sorted(minutes), n=10)
    return {"half": round(cuts[4]), "nine_tenths": round(cuts[8])}


def _time(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes / 60:.0f} h" if minutes < 60 * 72 else f"{minutes / 1440:.0f} days"
