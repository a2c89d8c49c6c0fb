"""Mistakes in a rulebook, each with the sentence that a person reads."""

from __future__ import annotations

import pytest

from shared.domain.rulebook.condition import CONDITIONS
from shared.domain.rulebook.effect import EFFECTS
from shared.domain.rulebook.loader import RulebookError, load, version_of
from shared.domain.rulebook.rule import ACTION_WORDS
from shared.domain.rulebook.rulebook import Rulebook
from tests.unit.pipeline_desk import axelerator, files

SMALL = """
tenant = "acme"
language = "en"

[[pipeline]]
id = "sales"
label = "Sales"

[[pipeline.stage]]
id = "new"
label = "New"
next = ["lost"]

[[pipeline.stage]]
id = "lost"
label = "Lost"
closes = "lost"

[[field]]
id = "niche"
label = "Niche"

[[task]]
id = "call_back"
label = "Call back"

[[outcome]]
id = "no_answer"
label = "No answer"

[[attempt]]
id = "call"
label = "Call"
channel = "call"

[[setting]]
id = "first_response"
label = "First response"
min = "1h"
max = "48h"
default = "2h"

[[rule]]
id = "house-01"
says = "A new lead is called."
when = { lead_created = "sales" }
if = [ { filled = "phone" } ]
do = [ { create_task = "call_back", due = { in = "first_response", of = "open_hours" } } ]

[[require]]
id = "001-20"
says = "The niche is known."
to = { move = "lost" }
need = [ { filled = "niche" } ]
"""


def small(*changes: tuple[str, str], **more: str) -> dict[str, str]:
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return {
        "rulebook.toml": text,
        **{name.replace("_toml", ".toml"): t for name, t in more.items()},
    }


def problems(given: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(RulebookError) as caught:
        load(given)
    return caught.value.problems


MISTAKES = {
    "a misspelt key": (
        ('label = "Niche"', 'lable = "Niche"'),
        "rulebook.toml: field niche: lable: nobody knows this key; did you mean 'label'?",
    ),
    "a key that is no key": (
        ('label = "Niche"', 'label = "Niche"\ncolour = "red"'),
        "rulebook.toml: field niche: colour: nobody knows this key; is it misspelt?",
    ),
    "a stage that leads nowhere": (
        ('next = ["lost"]', 'next = ["won"]'),
        "rulebook.toml: pipeline sales: stage 'new' leads to 'won', which is no stage of this "
        "pipeline",
    ),
    "a stage that can never be left": (
        ('next = ["lost"]', "next = []"),
        "rulebook.toml: pipeline sales: stage 'new' can never be left: give it next, or closes = "
        "won, lost or invalid",
    ),
    "a rule that waits for a stage nobody has": (
        ('when = { lead_created = "sales" }', 'when = { stage_entered = "nwe" }'),
        "rulebook.toml: rule house-01: when: stage_entered: 'nwe' is no stage of this rulebook; "
        "did you mean 'new'?",
    ),
    "a rule that waits for a deadline nobody sets": (
        ('when = { lead_created = "sales" }', 'when = { deadline = "weekly" }'),
        "rulebook.toml: rule house-01: when: deadline: 'weekly' is no deadline that a rule sets "
        "of this rulebook; known: none",
    ),
    "a word that is none": (
        ('{ create_task = "call_back"', '{ make_task = "call_back"'),
        "rulebook.toml: rule house-01: do[0]: 'make_task', 'due' is no word of `do`; expected one "
        "of " + ", ".join(sorted(EFFECTS)),
    ),
    "a condition that is none": (
        ('if = [ { filled = "phone" } ]', 'if = [ { fild = "phone" } ]'),
        "rulebook.toml: rule house-01: if[0]: 'fild' is no word of `if`; expected one of "
        + ", ".join(sorted(CONDITIONS)),
    ),
    "a task nobody declared": (
        ('{ create_task = "call_back"', '{ create_task = "callback"'),
        "rulebook.toml: rule house-01: do[0]: create_task: 'callback' is no task of this "
        "rulebook; did you mean 'call_back'?",
    ),
    "a template nobody wrote": (
        ('{ create_task = "call_back"', '{ send = "hello" }, { create_task = "call_back"'),
        "rulebook.toml: rule house-01: do[0]: send: 'hello' is no template of this rulebook; "
        "known: none",
    ),
    "a duration that is none": (
        ('in = "first_response"', 'in = "2 hours"'),
        "rulebook.toml: rule house-01: do[0]: due: in: '2 hours' is no duration: write 30m, 2h, "
        "1d, 1w or 3mo, or the name of a setting",
    ),
    "days of open hours": (
        ('in = "first_response"', 'in = "1d"'),
        "rulebook.toml: rule house-01: do[0]: due: 1d of open_hours: write m or h, or days of = "
        '"working_days"',
    ),
    "a setting counted in what it is not": (
        ('of = "open_hours"', 'of = "working_days"'),
        "rulebook.toml: rule house-01: do[0]: due: in: setting first_response: 2h of "
        "working_days: write the number of days, such as 5d",
    ),
    "a due time without an anchor": (
        ('{ in = "first_response", of = "open_hours" }', '{ of = "open_hours" }'),
        "rulebook.toml: rule house-01: do[0]: due: expected exactly one of in, before, on, or at "
        "alone",
    ),
    "a number that is no rule's": (
        ('id = "house-01"', 'id = "rule1"'),
        "rulebook.toml: rule rule1: id: 'rule1' is not the id of a rule, such as 003-04, 002-L1 or "
        "house-01",
    ),
    "a requirement on a field nobody declared": (
        ('need = [ { filled = "niche" } ]', 'need = [ { filled = ["niche", "city"] } ]'),
        "rulebook.toml: require 001-20: need[0]: filled: 'city' is no field or contact point of "
        "this rulebook; known: niche, phone, email, name, company, mobile, owner, "
        "contact",
    ),
    "a requirement on two actions": (
        ('to = { move = "lost" }', 'to = { move = "lost", close = "lost" }'),
        "rulebook.toml: require 001-20: to: expected exactly one action of "
        + ", ".join(ACTION_WORDS),
    ),
    "a party that is none": (
        ('{ create_task = "call_back"', '{ create_task = "call_back", to = "somebody"'),
        "rulebook.toml: rule house-01: do[0]: to: 'somebody' is no agent here; expected owner, "
        "actor, assignee, issuer, manager, linked_owner, last_caller, answer, role:x, team:x, "
        "next_of team:x or agent:x",
    ),
    "a task for the contact": (
        ('{ create_task = "call_back"', '{ create_task = "call_back", to = "contact"'),
        "rulebook.toml: rule house-01: do[0]: to: 'contact' is no agent here; expected owner, "
        "actor, assignee, issuer, manager, linked_owner, last_caller, answer, role:x, team:x, "
        "next_of team:x or agent:x",
    ),
    "any task where one is meant": (
        ('{ create_task = "call_back"', '{ create_task = "any"'),
        "rulebook.toml: rule house-01: do[0]: create_task: 'any' is no task of this rulebook; "
        "known: call_back",
    ),
    "a default outside its range": (
        ('default = "2h"', 'default = "3d"'),
        "rulebook.toml: setting first_response: default 3d must lie between min 1h and max 48h",
    ),
    "an id given twice": (
        ('id = "niche"\n', 'id = "niche"\nlabel = "N"\n\n[[field]]\nid = "niche"\n'),
        "rulebook.toml: field: 'niche' is declared twice",
    ),
    "a list without values": (
        ('label = "Niche"', 'label = "Niche"\ntype = "list"'),
        'rulebook.toml: field niche: values go with type = "list", and a list needs them',
    ),
    "a channel nobody has": (
        ('channel = "call"', 'channel = "fax"'),
        "rulebook.toml: attempt call: channel: 'fax' is not expected here; expected 'call', "
        "'sms', 'email', 'chat', 'social' or 'form'",
    ),
    "a sentence that is missing": (
        ('says = "A new lead is called."\n', ""),
        "rulebook.toml: rule house-01: says: this key is missing",
    ),
    "no table at all": (
        ('if = [ { filled = "phone" } ]', 'if = [ "phone" ]'),
        "rulebook.toml: rule house-01: if[0]: expected a table with one word of `if`",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_by_file_and_key_with_what_was_expected(mistake: str) -> None:
    change, sentence = MISTAKES[mistake]
    assert problems(small(change)) == (sentence,)


def test_all_mistakes_are_named_at_once() -> None:
    found = problems(
        small(
            ('{ create_task = "call_back"', '{ create_task = "callback"'),
            ('need = [ { filled = "niche" } ]', 'need = [ { filled = "city" } ]'),
        )
    )
    assert len(found) == 2


def test_a_file_that_is_no_toml_names_the_line() -> None:
    (found,) = problems({"rulebook.toml": "tenant = acme"})
    assert found.startswith("rulebook.toml: this is not valid TOML: ")
    assert "line 1" in found


def test_a_folder_without_rulebook_says_what_is_missing() -> None:
    assert problems({}) == ("rulebook.toml: the file is missing; a rulebook starts with it",)


def test_a_source_that_fills_an_unknown_field_is_named() -> None:
    source = """
[[source]]
id = "site"
label = "Site"
format = "form"
doors = ["http"]
site = "minsk"
origins = ["https://acme.example"]
mapping = { phone = "phone", city = "city" }
"""
    assert problems(small(sources_toml=source)) == (
        "sources.toml: source 'site': mapping: 'city' is no field of this rulebook; known: niche",
    )


def test_a_message_to_the_wrong_kind_of_person_is_named() -> None:
    wrong = files()["rulebook.toml"].replace(
        'send = "welcome", to = "contact"', 'send = "welcome", to = "owner"'
    )
    assert problems({**files(), "rulebook.toml": wrong}) == (
        "rulebook.toml: rule 001-22: do[0]: to: template 'welcome' is for a contact, "
        "not for 'owner'",
    )


def test_the_shipped_rulebook_loads_and_says_what_the_document_says() -> None:
    book: Rulebook = axelerator()
    assert (book.name, book.tenant, book.language) == ("axelerator", "axelerator", "ru")
    assert [stage.label for stage in book.pipelines["sales"].stage] == [
        "Новая заявка",
        "Взята в работу",
        "Квалифицирован",
        "Отправлено КП",
        "Обсудили КП",
        "2 попытки и более",
        "Согласован старт",
        "Выставлен договор/счет",
        "Запущено в работу",
        "Отказ/отложено",
    ]


def test_the_version_follows_what_decides_and_nothing_else() -> None:
    version = version_of(small())
    assert len(version) == 12
    assert version_of({**small(), "directory.toml": "x", "scenarios/a.toml": "y"}) == version
    assert version_of({**small(), "messages.toml": " "}) != version
    assert version_of(small(("Call back", "Ring back"))) != version


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("1h", None),
        ("48h", None),
        ("2d", "first_response is 2d; write it in the units of 2h, its default"),
        ("59m", "first_response is 59m; it must lie between 1h and 48h (003-04)"),
        ("49h", "first_response is 49h; it must lie between 1h and 48h (003-04)"),
        (
            "soon",
            "first_response: 'soon' is no duration: write 30m, 2h, 1d, 1w or 3mo",
        ),
    ],
)
def test_a_site_can_choose_one_to_48_hours(value: str, sentence: str | None) -> None:
    found = axelerator().setting_problems({"first_response": value})
    assert found == (() if sentence is None else (sentence,))


def test_a_setting_nobody_declared_is_named() -> None:
    assert axelerator().setting_problems({"colour": "red"}) == (
        "colour is no setting of rulebook axelerator; it has reactivation, first_response",
    )


def test_a_proof_names_a_test_and_a_rest_names_a_stage_and_why() -> None:
    proof = (
        '[[proof]]\nrule = "000-03"\nsays = "one by one"\ntest = "tests/unit/test_x.py::test_y"\n'
    )
    rest = '[[rest]]\nstage = "new"\nwhy = "Nobody waits for anything here."\n'
    book = load(small(("[[outcome]]\n", f"{proof}\n{rest}\n[[outcome]]\n")))

    assert book.proofs[0].test == "tests/unit/test_x.py::test_y"
    assert book.rests[0].stage == ("new",)
    for old, new, said in (
        ("test_x.py::test_y", "somewhere", "proof"),
        ('stage = "new"', 'stage = "gone"', "'gone' is no stage of this rulebook"),
        ("Nobody waits for anything here.", "so", "why"),
    ):
        changed = f"{proof}\n{rest}\n[[outcome]]\n".replace(old, new)
        with pytest.raises(RulebookError, match=said):
            load(small(("[[outcome]]\n", changed)))


def test_digests_go_at_one_time() -> None:
    digest = '[[digest]]\ntemplate = "t"\nto = "owner"\nat = "%s"\nsections = ["late"]\n\n'
    both = digest % "09:00" + digest % "10:00"

    with pytest.raises(RulebookError, match="digest: all digests go at one time, not at 09:00"):
        load(small(("[[outcome]]\n", f"{both}[[outcome]]\n")))
