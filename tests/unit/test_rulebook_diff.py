"""What changes between two rulebooks is told in words for people."""

from __future__ import annotations

import pytest

from relance.rulebook_diff import attached, differences
from relance.stack.home import PROJECT
from shared.domain.rulebook.loader import load
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.source import Sources
from shared.runtime.rulebook_folder import texts

FILES = texts(PROJECT / "rulebooks" / "axelerator")
OLD = load(FILES)


def book(name: str) -> Rulebook:
    return load(texts(PROJECT / "rulebooks" / name))


def changed(file: str, before: str, after: str) -> list[str]:
    assert before in FILES[file]
    return differences(OLD, load({**FILES, file: FILES[file].replace(before, after, 1)}))


def test_the_same_rulebook_changes_nothing() -> None:
    assert differences(OLD, load(FILES)) == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            '{ create_task = "qualify", due = { in = "30m", of = "open_hours" } }',
            '{ create_task = "qualify", due = { in = "45m", of = "open_hours" } }',
            "rule 001-23 («Менеджеру автоматически ставится задача «Связаться с клие…»): "
            "«Связаться с клиентом – Провести квалификацию» within 45 instead of "
            "30 minutes of open hours",
        ),
        (
            'max     = "48h"\ndefault = "2h"',
            'max     = "48h"\ndefault = "4h"',
            "setting «Срок первого ответа» is by default 4 instead of 2 hours",
        ),
        (
            "  { attempts = { at_least = 4,",
            "  { attempts = { at_least = 5,",
            "rule 001-06 («если не дозвонились, закрыть сделку, сделав пометку в раз…») applies if "
            "at least 5 instead of 4 attempts with «не поднял» by call",
        ),
        ('label = "Квалифицирован"', 'label = "Оценён"', "pipeline «Воронка продаж», stage "
         "«Квалифицирован» is now called «Оценён»"),
        (
            '{ is = { channel = ["form", "chat"] } }, { filled = "phone" }',
            '{ is = { channel = ["form", "call"] } }, { filled = "phone" }',
            "rule 001-08 («Если была оставлена заявка с сайта или чата и создана сде…») applies if "
            "channel is: now also call and no longer chat",
        ),
        (
            '{ send = "new_lead", to = "owner" }',
            '{ send = "new_lead", to = "manager" }',
            "rule house-02 («Ответственный узнаёт о заявке сразу: откуда она, что напи…»): send "
            "«new_lead» to the manager instead of the owner",
        ),
        (
            'need = [ { given = "note" } ]',
            'need = [ { given = "note" }, { filled = "niche" } ]',
            "requirement 001-27 («После звонка необходимо закрыть задачу с краткой пометкой…») now "
            "also needs: known: «Ниша»",
        ),
        (
            'rule = "003-11"',
            'rule = "003-12"',
            "the late mark stands for the sentence 003-12 instead of 003-11",
        ),
        (
            'language = "ru"',
            'language = "fr"',
            "the company's language is fr instead of ru",
        ),
    ],
)  # fmt: skip
def test_a_change_is_told_as_people_will_notice_it(before: str, after: str, told: str) -> None:
    assert changed("rulebook.toml", before, after) == [told]


def test_a_rule_that_comes_or_goes_is_told_by_its_number_and_sentence() -> None:
    rule = OLD.rules[0]
    text = f'[[rule]]\nid   = "{rule.id}"'
    start = FILES["rulebook.toml"].index(text)
    end = FILES["rulebook.toml"].index("[[rule]]", start + 5)
    poorer = load({**FILES, "rulebook.toml": FILES["rulebook.toml"].replace(
        FILES["rulebook.toml"][start:end], "", 1)})  # fmt: skip

    does = "at a new lead in «Воронка продаж»: give it to the next one of the team sales"
    assert differences(OLD, poorer) == [f"rule {rule.id} no longer: {rule.says} ({does})"]
    assert differences(poorer, OLD) == [f"rule {rule.id} now also: {rule.says} ({does})"]


def test_a_message_that_is_worded_differently_is_named() -> None:
    name = "templates/overdue.sms.liquid"

    (told,) = changed(name, "Просрочено", "Опоздали")

    assert told.startswith("message «overdue» (SMS) is worded differently: «Опоздали: {% if")


def test_a_rule_that_runs_before_another_now_is_told() -> None:
    first, second, *rest = OLD.rules
    turned = OLD.model_copy(update={"rules": (second, first, *rest)})

    assert differences(OLD, turned) == [
        f"rule house-02 («{second.says[:57]}…») now comes before house-01"
    ]


def test_hours_targets_and_sources_are_told() -> None:
    old, sources = book("sales_academy"), OLD.sources.source
    messages = old.messages
    quiet = messages.quiet[0].model_copy(update={"from_": "21:00", "days": ("sat", "sun")})
    target = messages.target[0].model_copy(update={"policy": "at_most_once"})
    hold = messages.hold.model_copy(update={"absent": "003-06"})
    new = messages.model_copy(
        update={"company": "Studi", "hold": hold, "quiet": (quiet,), "target": (target,)}
    )

    assert differences(old, old.model_copy(update={"messages": new})) == [
        f"recipients see the company's name as Studi instead of «{messages.company}»",
        "messages wait while the agent is away by the sentence 003-06 instead of nothing",
        "the quiet hours «house-05» start at 21:00 instead of 20:00",
        "the quiet hours «house-05» are all day on: now also Saturday",
        f"other system «{target.label}» policy: at most once instead of at least once",
    ]
    fewer = OLD.model_copy(update={"sources": Sources(source=sources[1:])})
    assert differences(OLD, fewer) == [f"source «{sources[0].label}» is gone"]


def test_what_has_no_name_is_told_by_what_it_says() -> None:
    old = book("sales_academy")
    less = old.model_copy(update={"messages": old.messages.model_copy(update={"quiet": ()})})

    assert differences(less, old) == [
        "the quiet hours «house-05» is new: hold back SMS; start at 20:00; end at 08:00; are all "
        "day on Sunday"
    ]


def test_the_sections_of_a_queue_are_told_in_their_order() -> None:
    old = book("sales_academy")
    queue = old.queues["calls"]
    turned = queue.model_copy(update={"order": queue.order[::-1]})

    assert differences(old, old.model_copy(update={"queues": {"calls": turned}})) == [
        "queue «Démarrage d'appel», section «Nouveaux leads» now comes before «Back Line»"
    ]


def test_a_file_that_goes_along_is_told() -> None:
    assert list(attached({"a.pdf": "1", "b.pdf": "1"}, {"b.pdf": "2", "c.pdf": "1"})) == [
        "the file «a.pdf», which goes along with mails, is gone",
        "the file «b.pdf», which goes along with mails, is another one",
        "the file «c.pdf», which goes along with mails, is new",
    ]
