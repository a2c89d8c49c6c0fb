"""What agents may not do yet: every missing need at once, and nothing changed."""

from __future__ import annotations

from string import Formatter
from typing import Any

from services.pipeline.core.phrase import DEFAULT_LANGUAGE, NOUNS, PHRASES
from shared.contract.envelope import derived_id
from shared.contract.intake import MailFacts
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import ActionRefused, LeadClosed, StageEntered
from shared.domain.rulebook.loader import load
from tests.unit.pipeline_desk import IVAN, IVAN_MAIL, Desk, files


def test_taking_into_work_without_platform_names_the_field_the_rule_and_the_choice() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    before = desk.world
    desk.act(lead, "move", to="in_work")

    refused = desk.one(ActionRefused)
    (need,) = refused.needs
    assert (refused.action, refused.by) == ("move", "anna")
    assert (need.rule, need.condition, need.missing) == ("001-20", "filled", ("platform",))
    assert need.says.startswith("При этом надо заполнить обязательное поле «Площадка»")
    assert need.satisfied_by == "заполните: Площадка (amoCRM, Битрикс24, Сайт, Другая)"
    assert desk.world == before


def test_a_refusal_names_every_missing_field_and_the_stage_at_once() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "move", to="qualified")

    assert desk.refused() == [
        ("001-17", ("stage",)),
        ("001-26", ("goal", "team_size", "decision_maker")),
        ("001-28", ("niche", "source_field")),
    ]


def test_what_was_refused_is_allowed_once_the_field_is_set() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "set_fields", fields={"platform": "amocrm"})
    desk.act(lead, "move", to="in_work")

    entered = desk.one(StageEntered)
    assert (entered.stage, entered.left, entered.by) == ("in_work", "new", "anna")


def test_a_value_outside_the_list_is_refused_with_the_list() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "set_fields", fields={"platform": "Amo", "mood": "good", "phone": "12"})

    assert desk.refused() == [
        ("001-20", ("platform",)),
        ("house-00", ("field",)),
        ("house-00", ("phone",)),
    ]
    assert desk.lead(lead).fields == {}


def test_a_lost_lead_needs_its_reason_by_either_door() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    for act in ({"act": "close", "status": "lost"}, {"act": "move", "to": "refused"}):
        desk.act(lead, **act)
        assert desk.refused() == [("001-63", ("reason",))]
        assert (
            desk.one(ActionRefused)
            .needs[0]
            .satisfied_by.startswith(
                "укажите: причина отказа (не дозвонился, не отвечает, отказался от услуг"
            )
        )
        desk.act(lead, **act, reason="weather")
        assert desk.refused() == [("house-00", ("reason",))]
        assert desk.one(ActionRefused).needs[0].says == "«weather» (причина отказа) не существует."


def test_a_closed_lead_takes_notes_and_finished_tasks_only() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.refuse(lead)
    desk.act(lead, "move", to="in_work")
    assert ("house-00", ("status",)) in desk.refused()
    desk.act(lead, "note", text="звонил сам", by="boss")
    assert desk.names() == ["NoteAdded"]
    desk.act(lead, "complete_task", task="review_closing", by="boss")
    assert desk.names() == ["TaskCompleted"]


def test_a_refusal_is_proved_by_what_the_client_wrote_not_by_what_we_sent() -> None:
    desk = Desk()
    mail = MailFacts(message_id="<no@client.example>")
    lead = desk.receive(IVAN_MAIL, channel="email", text="Спасибо, не надо", mail=mail)
    ours = derived_id("our offer")
    sent: dict[str, Any] = {
        "request": ours,
        "to": "contact",
        "template": "offer",
        "occasion": "x",
        "address": "x",
    }
    desk.put(
        NotificationSent(notification=ours, channel="email", lead=lead.id, text="КП", **sent),
        lead.id,
    )
    assert desk.lead(lead).mail_ids == ("<no@client.example>", ours)
    desk.act(lead, "attach", kind="letter", status="sent", name="КП")
    closing: dict[str, Any] = {"act": "close", "status": "lost", "reason": "refused"}

    for proof in (ours, "letter", "<other@client.example>", "call_recording"):
        desk.act(lead, **closing, evidence=proof)
        assert desk.refused() == [("house-00", ("evidence",))], proof
    satisfied_by = desk.one(ActionRefused).needs[0].satisfied_by
    assert "<no@client.example>" in satisfied_by
    assert ours not in satisfied_by
    desk.act(lead, **closing, evidence="<no@client.example>")

    closed = desk.one(LeadClosed)
    assert (closed.reason, closed.evidence) == ("refused", "<no@client.example>")


def test_names_that_do_not_exist_are_refused_with_those_that_do() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    cases: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
        ("log_attempt", {"code": "pigeon"}, ("code",)),
        ("log_attempt", {"code": "call", "outcome": "eaten"}, ("outcome",)),
        ("assign", {"to": "nobody"}, ("agent",)),
        ("assign", {"to": "next_of team:none"}, ("team",)),
        ("create_task", {"task": "dance"}, ("task",)),
        ("complete_task", {"task": "check_copy"}, ("task",)),
        ("move", {"to": "moon"}, ("stage",)),
    ]
    for act, arguments, missing in cases:
        desk.act(lead, act, **arguments)
        assert [need.missing for need in desk.one(ActionRefused).needs] == [missing], act


def test_needs_of_several_words_are_all_listed_each_with_what_would_satisfy_it() -> None:
    more = """
[[require]]
id   = "001-62"
says = "причина отказа должна быть объективной"
to   = { close = "invalid", reason = "wrong_address" }
need = [
  { attempts = { at_least = 3, channel = "each_known" } },
  { elapsed = { since = "last_contact", at_least = "3w" } },
  { by = "role:manager" },
  { any_of = [ { contacts = { at_least = 1 } }, { not = { is = { stage = "new" } } } ] },
  { task = { name = "qualify", status = "completed" } },
]
"""
    book = load({**files(), "rulebook.toml": files()["rulebook.toml"] + more})
    desk = Desk(book)
    lead = desk.receive(IVAN)
    desk.act(lead, "close", status="invalid", reason="wrong_address")

    needs = desk.one(ActionRefused).needs
    assert [need.missing for need in needs] == [
        ("attempts",),
        ("elapsed",),
        ("by",),
        ("any_of",),
        ("task",),
    ]
    assert needs[1].satisfied_by == "подождите до 23.03.2026 10:00"
    assert needs[0].satisfied_by == ("попытки связаться: не меньше 3, по каждому известному каналу")
    desk.refuse(lead)
    assert "LeadClosed" in desk.names()


def test_every_language_has_every_sentence_with_the_same_blanks() -> None:
    english = PHRASES[DEFAULT_LANGUAGE]
    for language in PHRASES:
        assert PHRASES[language].keys() == english.keys()
        assert NOUNS[language].keys() == NOUNS[DEFAULT_LANGUAGE].keys()
        for key, sentence in PHRASES[language].items():
            assert blanks(sentence) == blanks(english[key]), (language, key)


def blanks(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}
