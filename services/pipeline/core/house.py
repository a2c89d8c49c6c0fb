"""What stands against an action in every rulebook: unknown names, closed leads, values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from services.pipeline.core import action as acts
from services.pipeline.core.action import ActionBase
from services.pipeline.core.appointment import booked, local_instant
from services.pipeline.core.attempt import MADE
from services.pipeline.core.consent import blocking_rule, sentence_of
from services.pipeline.core.describe import label
from services.pipeline.core.entrusted import entrusted, erased, unblocked
from services.pipeline.core.evolve_erased import ours
from services.pipeline.core.fields import READERS, read_point
from services.pipeline.core.lead import Lead, Task
from services.pipeline.core.merge import merge_to_undo
from services.pipeline.core.moment import is_countable
from services.pipeline.core.notify import attachments
from services.pipeline.core.party import ISSUER, NEXT_OF, SITE
from services.pipeline.core.phrase import Phrases, shown
from services.pipeline.core.queue import place_of as standing_place
from services.pipeline.core.turn import Scene
from services.pipeline.core.value import is_link, read_value
from shared.contract.pipeline import Need
from shared.domain.directory import Unknown
from shared.domain.rulebook.due import DueTime
from shared.domain.rulebook.effect import PREVIOUS
from shared.domain.rulebook.reference import CONTACT_FIELDS

ITSELF = "house-00"
"""The rule behind what every rulebook demands: known names, an open lead, a reachable stage."""

ON_CLOSED = (
    acts.Note,
    acts.SetFields,
    acts.CompleteTask,
    acts.LogContact,
    acts.Reopen,
    acts.Attach,
    acts.ConfirmPayment,
    acts.ExportContact,
    acts.EraseContact,
    acts.Unlink,
    acts.Block,
    acts.Unblock,
    acts.Take,
)
"""What can be done to a closed lead."""


def open_task(lead: Lead, name: str) -> Task | None:
    """The open task with that id, else the oldest open one of that kind."""
    return next((t for t in lead.open_tasks() if name in (t.id, t.name)), None)


def place_of(scene: Scene, name: str) -> tuple[str, str]:
    """(pipeline, stage) that `stage` or `pipeline.stage` stands for."""
    pipeline, _, stage = name.rpartition(".")
    return pipeline or scene.lead.pipeline, stage


def of_the_house(scene: Scene, action: ActionBase) -> Iterator[Need]:
    """What stands against it whatever the rulebook says."""
    phrases = Phrases(scene.book.language)
    yield from erased(scene, action, phrases)
    if not scene.lead.is_open and not isinstance(action, ON_CLOSED):
        yield _need("open", phrases.say("open_says"), ("status",), phrases.say("open"))
    yield from HOUSE.get(type(action), _nothing)(scene, action, phrases)
    yield from entrusted(scene, action, phrases)
    yield from _blocked(scene, action, phrases)


def _blocked(scene: Scene, action: ActionBase, phrases: Phrases) -> Iterator[Need]:
    """What would reach the contact by channels that are all forbidden, by the rule that does."""
    channels: tuple[str, ...] = ()
    if isinstance(action, acts.CreateTask) and (task := scene.book.tasks.get(action.task)):
        channels = (task.channel,) if task.channel else ()
    elif isinstance(action, acts.Send) and (t := scene.book.messages.by_id(action.template)):
        channels = t.channels if t.to == "contact" else ()
    rule = blocking_rule(scene, channels)
    if rule is not None:
        says, by = sentence_of(scene.book, rule), phrases.say("blocked", channels)
        yield _need("block", says, ("block",), by, rule)


def _need(condition: str, says: str, lacking: tuple[str, ...], by: str, rule: str = ITSELF) -> Need:
    return Need(rule=rule, says=says, condition=condition, missing=lacking, satisfied_by=by)


def _nothing(_: Scene, __: Any, ___: Phrases) -> Iterator[Need]:
    yield from ()


def _unknown(phrases: Phrases, kind: str, name: str, choice: Iterable[str]) -> Need:
    says = phrases.say("known_says", kind=phrases.noun(kind), name=name)
    return _need("known", says, (kind,), phrases.say("known", choice, name=name))


def _fields(scene: Scene, action: acts.SetFields, phrases: Phrases) -> Iterator[Need]:
    region = scene.directory.site(scene.lead.site).region
    for name, value in action.fields.items():
        field = scene.book.fields.get(name)
        if name in READERS and value and read_point(name, value, region).point is None:
            says = phrases.say("point_says", value=value)
            yield _need("value", says, (name,), phrases.say("point"))
        elif field is None and name not in CONTACT_FIELDS:
            yield _unknown(phrases, "field", name, (*scene.book.fields, *CONTACT_FIELDS))
        elif field is not None and read_value(field, value, scene.today) is None:
            says = phrases.say("value_says", field=field.label, value=value)
            if field.type == "list":
                choices = field.choices(scene.today).items()
                shown = [f"{key} ({name_})" for key, name_ in choices]
                by = phrases.say("value", shown, name=value)
            else:
                by = phrases.say(field.type)
            yield _need("value", says, (name,), by, field.rule or ITSELF)


def _attempt(scene: Scene, action: acts.LogAttempt, phrases: Phrases) -> Iterator[Need]:
    if action.code not in scene.book.attempts:
        yield _unknown(phrases, "code", action.code, scene.book.attempts)
    if action.outcome != MADE and action.outcome not in scene.book.outcomes:
        yield _unknown(phrases, "outcome", action.outcome, (MADE, *scene.book.outcomes))


def _move(scene: Scene, action: acts.Move, phrases: Phrases) -> Iterator[Need]:
    stage = scene.book.stages.get(place_of(scene, action.to))
    if stage is None:
        stages = [s.id for s in scene.book.pipelines[scene.lead.pipeline].stage]
        yield _unknown(phrases, "stage", action.to, stages)
        return
    yield from _reachable(scene, stage.id, phrases)
    yield from _reason(scene, action.reason, phrases)
    yield from _evidence(scene, action.evidence, phrases)


def _close(scene: Scene, action: acts.Close, phrases: Phrases) -> Iterator[Need]:
    yield from _reason(scene, action.reason, phrases)
    yield from _evidence(scene, action.evidence, phrases)


def _evidence(scene: Scene, proof: str | None, phrases: Phrases) -> Iterator[Need]:
    """A document of the lead, or a letter in its thread (001-64); what we sent proves nothing of
    what the contact said."""
    papers = [paper for paper in scene.lead.documents if paper.status != "sent"]
    mails = scene.lead.mail_ids
    letters = [mail for mail in mails if mail not in ours(mails)]
    known = {*(paper.id for paper in papers), *(paper.kind for paper in papers), *letters}
    if proof is not None and proof not in known:
        says = phrases.say("evidence_says", name=proof)
        choice = [f"{paper.kind} ({paper.id})" for paper in papers] + letters
        yield _need("known", says, ("evidence",), phrases.say("evidence", choice))


def _classify(scene: Scene, action: acts.Classify, phrases: Phrases) -> Iterator[Need]:
    if action.outcome not in scene.book.outcomes:
        yield _unknown(phrases, "outcome", action.outcome, scene.book.outcomes)
    yield from _reason(scene, action.reason, phrases)
    if action.duplicate_of is not None and not scene.duplicate_of:
        says = phrases.say("duplicate_says", name=action.duplicate_of)
        yield _need("known", says, ("duplicate_of",), phrases.say("duplicate"))


def _unlink(scene: Scene, _: acts.Unlink, phrases: Phrases) -> Iterator[Need]:
    if merge_to_undo(scene.contact, scene.lead.id) is None:
        says = phrases.say("merged_says")
        yield _need("merged", says, ("merged",), phrases.say("merged"))


def _acknowledge(scene: Scene, action: acts.Acknowledge, phrases: Phrases) -> Iterator[Need]:
    """Once for each owner: there is nothing to take up a second time (000-03)."""
    who = scene.lead.acknowledged_by
    if who is not None:
        says, name = phrases.say("acknowledged_says"), scene.directory.agent(who).name
        yield _need("acknowledged", says, ("acknowledged",), phrases.say("acknowledged", name))
    if action.outcome is not None and action.outcome not in scene.book.outcomes:
        yield _unknown(phrases, "outcome", action.outcome, scene.book.outcomes)


def _take(scene: Scene, action: acts.Take, phrases: Phrases) -> Iterator[Need]:
    queue = scene.book.queues.get(action.queue)
    if queue is None:
        yield _unknown(phrases, "queue", action.queue, scene.book.queues)
    elif standing_place(scene, queue) is None:
        says = phrases.say("queue_says", queue.label)
        by = phrases.say("queue", [section.label for section in queue.order])
        yield _need("queue", says, ("queue",), by, queue.rule or ITSELF)


def _reopen(scene: Scene, action: acts.Reopen, phrases: Phrases) -> Iterator[Need]:
    if scene.lead.is_open:
        yield _need("closed", phrases.say("closed_says"), ("status",), phrases.say("closed"))
    stages = scene.book.pipelines[scene.lead.pipeline].stage
    if action.to != PREVIOUS and place_of(scene, action.to) not in scene.book.stages:
        yield _unknown(phrases, "stage", action.to, [s.id for s in stages if s.closes is None])


def _attach(scene: Scene, action: acts.Attach, phrases: Phrases) -> Iterator[Need]:
    if action.kind not in scene.book.documents:
        yield _unknown(phrases, "document", action.kind, scene.book.documents)
    if action.url is not None and not is_link(action.url):
        says = phrases.say("value_says", field="url", value=action.url)
        yield _need("value", says, ("url",), phrases.say("url"))


def _send(scene: Scene, action: acts.Send, phrases: Phrases) -> Iterator[Need]:
    for_contacts = [t.id for t in scene.book.messages.template if t.to == "contact"]
    template = scene.book.messages.by_id(action.template)
    if template is None:
        yield _unknown(phrases, "template", action.template, for_contacts)
    elif template.to != "contact":
        says = phrases.say("to_contact_says", name=template.id)
        yield _need("template", says, ("template",), phrases.say("to_contact", for_contacts))
    elif template.ics and scene.lead.appointment is None:
        says = phrases.say("appointment_says")
        yield _need("appointment", says, ("appointment",), phrases.say("appointment"))
    elif template.attach_by is not None and attachments(scene, template) is None:
        field = template.attach_by.field
        what = label(scene, field)
        says = phrases.say("files_says", scene.book.fields[field].label)
        by = phrases.say("files", what)
        yield _need("filled", says, (field,), by, template.rule or ITSELF)


def _hand_off(scene: Scene, action: acts.HandOff, phrases: Phrases) -> Iterator[Need]:
    if action.target not in scene.book.messages.targets:
        yield _unknown(phrases, "target", action.target, scene.book.messages.targets)


def _appointment(
    scene: Scene,
    action: acts.Book | acts.MoveAppointment | acts.CancelAppointment | acts.MissAppointment,
    phrases: Phrases,
) -> Iterator[Need]:
    """One appointment at a time: booked when none is to come, changed when there is one."""
    standing = booked(scene.lead)
    zone = scene.directory.opening(scene.lead.site).zone
    when = "" if standing is None else shown(standing.starts_at.astimezone(zone))
    if isinstance(action, acts.Book):
        if standing is not None and standing.starts_at > scene.now:
            says = phrases.say("booked_says", when)
            yield _need("appointment", says, ("appointment",), phrases.say("booked"))
    elif standing is None:
        says = phrases.say("appointment_says")
        yield _need("appointment", says, ("appointment",), phrases.say("appointment"))
    elif isinstance(action, acts.MissAppointment) and standing.starts_at > scene.now:
        says = phrases.say("missed_says", when)
        yield _need("appointment", says, ("appointment",), phrases.say("elapsed", when))
    if isinstance(action, acts.Book | acts.MoveAppointment):
        start = local_instant(scene, action.start)
        if start <= scene.now:
            says = phrases.say("start_says", shown(start.astimezone(zone)))
            yield _need("value", says, ("start",), phrases.say("start"))


def _new_lead(scene: Scene, action: acts.CreateLead, phrases: Phrases) -> Iterator[Need]:
    if action.pipeline is not None and action.pipeline not in scene.book.pipelines:
        yield _unknown(phrases, "pipeline", action.pipeline, scene.book.pipelines)
    typed = {k: v for k in READERS if (v := getattr(action, k))}
    yield from _fields(scene, acts.SetFields(fields=typed | action.fields or {"name": ""}), phrases)
    if action.owner is not None:
        yield from _agent(scene, action.owner, phrases)


def _answer(scene: Scene, action: acts.AnswerQuestion, phrases: Phrases) -> Iterator[Need]:
    """Only whoever was asked, once, and one of the answers; some of them name an agent."""
    question = scene.lead.questions.get(action.question)
    if question is None or not question.is_open:
        is_open = [each.name for each in scene.lead.questions.values() if each.is_open]
        says = phrases.say("question_says", name=action.question)
        yield _need("question", says, ("question",), phrases.say("question", is_open))
        return
    if scene.actor not in question.to:
        names = [scene.directory.agent(agent).name for agent in question.to]
        yield _need("by", phrases.say("asked_says"), ("by",), phrases.say("by", names))
    answers = {each.id: each for each in question.answers}
    if action.answer not in answers:
        choice = [f"{each.id} ({each.label})" for each in question.answers]
        yield _unknown(phrases, "answer", action.answer, choice)
    elif answers[action.answer].agent and action.to is None:
        says = phrases.say("answer_to_says", name=answers[action.answer].label)
        yield _need("given", says, ("to",), phrases.say("given", [phrases.noun("agent")]))
    if action.to is not None:
        yield from _agent(scene, action.to, phrases)


def _reachable(scene: Scene, to: str, phrases: Phrases) -> Iterator[Need]:
    """A stage is entered from the stages that lead to it; a closed lead goes nowhere."""
    here = scene.book.stages.get((scene.lead.pipeline, scene.lead.stage))
    if here is None or to == here.id or to in here.next or not scene.lead.is_open:
        return
    pipeline = scene.book.pipelines[scene.lead.pipeline]
    labels = {stage.id: stage.label for stage in pipeline.stage}
    says = phrases.say("next_says", left=here.label, stage=labels.get(to, to))
    by = phrases.say("next", [labels[next_] for next_ in here.next])
    yield _need("stage", says, ("stage",), by, pipeline.rule or ITSELF)


def _reason(scene: Scene, reason: str | None, phrases: Phrases) -> Iterator[Need]:
    if reason is not None and reason not in scene.book.reasons:
        yield _unknown(phrases, "reason", reason, scene.book.reasons)


def _new_task(scene: Scene, action: acts.CreateTask, phrases: Phrases) -> Iterator[Need]:
    if action.task not in scene.book.tasks:
        yield _unknown(phrases, "task", action.task, scene.book.tasks)
    if action.to is not None:
        yield from _agent(scene, action.to, phrases)
    if action.due is not None:
        yield from _due(scene, action.due, phrases)


def _postponed(scene: Scene, action: acts.PostponeTask, phrases: Phrases) -> Iterator[Need]:
    yield from _task_in_hand(scene, action, phrases)
    yield from _due(scene, action.due, phrases)


def _due(scene: Scene, due: DueTime, phrases: Phrases) -> Iterator[Need]:
    """What nobody could count would be due never, and nobody would be told."""
    for text in (due.in_, due.before):
        if text is not None and not is_countable(scene, due, text):
            says = phrases.say("due_says", name=text)
            yield _need("value", says, ("due",), phrases.say("due"))
    dates = [field.id for field in scene.book.fields.values() if field.type == "date"]
    if isinstance(due.on, str) and due.on not in dates:
        yield _unknown(phrases, "field", due.on, dates)


def _task_in_hand(
    scene: Scene,
    action: acts.CompleteTask | acts.PostponeTask | acts.CancelTask | acts.Note | acts.Assign,
    phrases: Phrases,
) -> Iterator[Need]:
    if action.task is None or open_task(scene.lead, action.task) is not None:
        return
    tasks = [task.name for task in scene.lead.open_tasks()]
    says = phrases.say("task_in_hand_says", name=action.task)
    yield _need("task", says, ("task",), phrases.say("task_in_hand", tasks))


def _owner(scene: Scene, action: acts.Assign, phrases: Phrases) -> Iterator[Need]:
    if action.task is not None:
        yield from _task_in_hand(scene, action, phrases)
        if action.to == ISSUER:
            return
    if action.to.startswith(NEXT_OF):
        team = action.to.removeprefix(NEXT_OF)
        if team != SITE and not scene.directory.agents_of(team):
            yield _unknown(phrases, "team", action.to, ())
        return
    yield from _agent(scene, action.to, phrases)


def _agent(scene: Scene, agent: str, phrases: Phrases) -> Iterator[Need]:
    try:
        known = not scene.directory.agent(agent).withdrawn
    except Unknown:
        known = False
    if not known:
        yield _unknown(phrases, "agent", agent, (a.id for a in scene.directory.agents))


HOUSE: Mapping[type[ActionBase], Callable[[Scene, Any, Phrases], Iterator[Need]]] = {
    acts.SetFields: _fields,
    acts.LogAttempt: _attempt,
    acts.Move: _move,
    acts.Close: _close,
    acts.CreateTask: _new_task,
    acts.PostponeTask: _postponed,
    acts.CompleteTask: _task_in_hand,
    acts.CancelTask: _task_in_hand,
    acts.Acknowledge: _acknowledge,
    acts.Take: _take,
    acts.Classify: _classify,
    acts.Unlink: _unlink,
    acts.Reopen: _reopen,
    acts.Attach: _attach,
    acts.Unblock: unblocked,
    acts.Send: _send,
    acts.HandOff: _hand_off,
    acts.Book: _appointment,
    acts.MoveAppointment: _appointment,
    acts.CancelAppointment: _appointment,
    acts.MissAppointment: _appointment,
    acts.CreateLead: _new_lead,
    acts.Note: _task_in_hand,
    acts.Assign: _owner,
    acts.AnswerQuestion: _answer,
}
