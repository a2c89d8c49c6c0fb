"""What must hold at the end of the demo, judged from events and messages alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

from relance.audit import Report
from relance.demo.inbox import Message
from shared.contract.envelope import Envelope, Event
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import (
    ActionRefused,
    LeadAssigned,
    LeadCreated,
    LeadLate,
    StageEntered,
)
from shared.contract.reminders import DeadlinePlanned, LeadOverdue
from shared.domain.count import counted, noun

E = TypeVar("E", bound=Event)

CHANNELS = Counter(call=2, form=1, email=1)
"""What the script sends in: a missed call at the webhook and one on the topic, a form, a mail."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of the demo, whether it held, and what was seen."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Played:
    """What the demo saw: all events, the messages people received, the audit, the site's zone."""

    events: Sequence[Envelope]
    messages: Sequence[Message]
    audit: Report
    zone: ZoneInfo

    def of(self, kind: type[E]) -> list[tuple[Envelope, E]]:
        """The events of one class, with their envelopes."""
        return [(e, e.data) for e in self.events if isinstance(e.data, kind)]


def check(played: Played) -> list[Check]:
    """All checks, in the order of the story."""
    return [
        _inputs(played),
        _owners(played),
        _told_at_once(played),
        _refused_then_allowed(played),
        _welcome(played),
        _overdue(played),
        _digests(played),
        _told_once(played),
        _audit(played),
    ]


def _inputs(played: Played) -> Check:
    channels = Counter(lead.channel for _, lead in played.of(LeadCreated))
    seen = ", ".join(f"{n} {channel}" for channel, n in sorted(channels.items()))
    return Check("every input became one lead", channels == CHANNELS, seen)


def _owners(played: Played) -> Check:
    leads = {e.subject for e, _ in played.of(LeadCreated)}
    owned = {e.subject: data.owner for e, data in played.of(LeadAssigned)}
    detail = ", ".join(f"{n} {owner}" for owner, n in sorted(Counter(owned.values()).items()))
    return Check("every lead has an owner", leads == owned.keys(), detail)


def _told_at_once(played: Played) -> Check:
    created = {e.subject: e.time for e, _ in played.of(LeadCreated)}
    told = {
        data.lead: e.time
        for e, data in played.of(NotificationSent)
        if data.template == "new_lead" and data.channel == "sms"
    }
    late = [lead for lead, at in created.items() if told.get(lead) != at]
    return Check(
        "the owner was told at once, by SMS",
        not late,
        f"{len(told)} of {counted(len(created), 'lead')}",
    )


def _refused_then_allowed(played: Played) -> Check:
    refused = [(e, data) for e, data in played.of(ActionRefused) if data.action == "move"]
    moved = [e for e, data in played.of(StageEntered) if data.stage == "in_work"]
    ok = len(refused) == len(moved) == 1 and refused[0][0].subject == moved[0].subject
    missing = "; ".join(
        f"{need.rule}: {', '.join(need.missing)}" for _, data in refused for need in data.needs
    )
    return Check("a stage move was refused, then allowed", ok, f"was missing {missing or '-'}")


def _welcome(played: Played) -> Check:
    channels = sorted(m.channel for m in played.messages if m.template == "welcome")
    return Check(
        "the contact was welcomed once by each channel",
        channels == ["email", "sms"],
        " and ".join(channels) or "nothing",
    )


def _overdue(played: Played) -> Check:
    due = {data.deadline_set: data.due_at for _, data in played.of(DeadlinePlanned)}
    fired = played.of(LeadOverdue)
    on_time = all(due[data.deadline_set] == e.time for e, data in fired)
    late = {e.subject for e, _ in played.of(LeadLate)}
    told = {
        data.lead
        for _, data in played.of(NotificationSent)
        if data.template == "overdue" and data.channel == "sms"
    }
    return Check(
        "what was overdue was told, to the minute",
        bool(late) and on_time and late <= told,
        f"{len(late)} late, {len(told)} told",
    )


def _digests(played: Played) -> Check:
    times = [
        (data.template, e.time.astimezone(played.zone).strftime("%H:%M"))
        for e, data in played.of(NotificationSent)
        if data.template.startswith("digest_")
    ]
    kinds = {template for template, _ in times}
    ok = kinds == {"digest_agent", "digest_manager"} and {at for _, at in times} == {"09:00"}
    seen = Counter(template for template, _ in times)
    detail = ", ".join(f"{n} {template}" for template, n in sorted(seen.items()))
    return Check("the digests came at 09:00, to agents and manager", ok, detail or "none")


def _told_once(played: Played) -> Check:
    twice = [
        key
        for key, n in Counter(
            (m.channel, m.to, m.template, m.text) for m in played.messages
        ).items()
        if n > 1
    ]
    arrived = len(played.messages)
    sent = len(played.of(NotificationSent))
    return Check(
        "nobody was told twice, nothing is missing",
        not twice and arrived == sent,
        f"{counted(arrived, 'message')} arrived, {sent} {noun(sent, 'was', 'were')} sent",
    )


def _audit(played: Played) -> Check:
    counts = played.audit.counts
    detail = (
        f"{counts['accepted']} accepted, {counted(counts['events'], 'event')}, 0 lost, 0 repeated"
        if played.audit.ok
        else "; ".join(finding.sentence for finding in played.audit.findings[:3])
    )
    return Check("the audit finds nothing", played.audit.ok, detail)
