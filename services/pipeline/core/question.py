"""Questions to agents: asked once per lead, answered once, by whoever was asked."""

from __future__ import annotations

from pydantic import JsonValue

from services.pipeline.core import action as acts
from services.pipeline.core.notify import message_values
from services.pipeline.core.party import agents
from services.pipeline.core.turn import Turn
from shared.contract.envelope import Envelope
from shared.contract.pipeline import (
    Answer,
    NotificationRequested,
    QuestionAnswered,
    QuestionAsked,
    Recipient,
)
from shared.domain.rulebook.effect import Ask


def ask(turn: Turn, trigger: Envelope, effect: Ask) -> None:
    """Ask everybody `to` stands for what to do; one question of a name is asked once per lead."""
    lead, scene = trigger.subject, turn.scene(trigger.subject)
    to = agents(scene, effect.to)
    if not to or effect.ask in scene.lead.questions:
        return
    answers = tuple(
        Answer(id=id_, label=answer.label, agent=answer.agent)
        for id_, answer in effect.answers.items()
    )
    turn.emit(lead, QuestionAsked(question=effect.ask, to=to, answers=answers))
    choice: list[JsonValue] = [each.model_dump(mode="json") for each in answers]
    values = message_values(scene, trigger, effect.ask)
    values["question"] = {"name": effect.ask, "answers": choice}
    for agent in to:
        turn.emit(
            lead,
            NotificationRequested(
                to=Recipient(kind="agent", id=agent),
                template=effect.ask,
                occasion=f"lead:{lead}",
                site=turn.directory.agent(agent).site,
                lead=lead,
                values=values,
            ),
        )


def answer(turn: Turn, lead: str, action: acts.AnswerQuestion, by: str) -> None:
    """What was asked is answered; what follows is said by rules (`answered`)."""
    said = QuestionAnswered(question=action.question, answer=action.answer, to=action.to, by=by)
    turn.emit(lead, said)
