"""Templates: what they can do, and that they cannot do harm."""

from __future__ import annotations

import pytest

from services.notifications.core import sms
from services.notifications.core.template import TemplateError, problems, render
from tests.unit.message_house import BOOK, book

PLACE = {"zone": "Europe/Minsk", "language": "ru"}
INSTANT = "2026-03-02T14:50:00Z"


def text(source: str, **values: object) -> str:
    return render(source, "txt", {}, {**PLACE, **values})


def test_times_are_shown_on_the_recipients_clock() -> None:
    assert text("{{ t | local_time }}", t=INSTANT) == "17:50"
    assert text("{{ t | local_date }}", t="2026-03-02T22:30:00Z") == "3 марта"
    assert text("{{ t | local_date }}", t="2026-03-02") == "2 марта"
    assert text("{{ t | local_moment }}", t=INSTANT) == "пн, 2 марта, 17:50"


def test_dates_are_in_the_language_of_the_message() -> None:
    said = render("{{ t | local_date }}", "txt", {}, {**PLACE, "language": "fr", "t": INSTANT})
    assert said == "2 mars"


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1 заявка"), (3, "3 заявки"), (11, "11 заявок"), (0, "0 заявок")]
)
def test_a_number_has_the_right_form_of_its_word(number: int, said: str) -> None:
    assert text("{{ n | count: 'заявка', 'заявки', 'заявок' }}", n=number) == said


@pytest.mark.parametrize(
    ("lead", "called"),
    [
        ({"name": "Иван", "company": "Вега"}, "Иван"),
        ({"name": None, "company": "Вега"}, "Вега"),
        ({"name": None, "company": None, "phone": "+375291234567"}, "+375 29 123-45-67"),
        ({"name": None, "company": None, "phone": None, "email": "i@x.example"}, "i@x.example"),
        ({"number": "7F3K"}, "№ 7F3K"),
    ],
)
def test_a_lead_is_called_by_the_best_that_is_known(lead: object, called: str) -> None:
    assert text("{{ lead | who }}", lead=lead) == called


def test_a_text_is_shortened_between_words() -> None:
    said = text("{{ t | shorten: 20 }}", t="Нужно  внедрить\nCRM, и поскорее")
    assert said == "Нужно внедрить CRM…"
    assert text("{{ t | shorten: 20 }}", t=None) == ""


def test_only_html_is_escaped() -> None:
    values = {**PLACE, "name": "<b>Иван & Ко</b>"}
    assert render("{{ name }}", "html", {}, values) == "&lt;b&gt;Иван &amp; Ко&lt;/b&gt;"
    assert render("{{ name }}", "txt", {}, values) == "<b>Иван & Ко</b>"


def test_a_partial_is_shared_and_escapes_as_its_channel_does() -> None:
    partials = {"line.html": "[{{ x }}]", "line.txt": "({{ x }})"}
    source = "{% render 'line', x: name %}"
    assert render(source, "html", partials, {**PLACE, "name": "<"}) == "[&lt;]"
    assert render(source, "txt", partials, {**PLACE, "name": "<"}) == "(<)"


@pytest.mark.parametrize(
    "source",
    [
        "{{ nobody }}",
        "{{ lead.nothing }}",
        "{{ 'x' | nofilter }}",
        "{% if %}",
        "{% render 'absent' %}",
        "{{ 'when' | local_time }}",
        "{{ 'many' | count: 'a', 'b' }}",
        "{{ 1 | divided_by: 0 }}",
        "{% for a in (1..99999) %}{% for b in (1..99999) %}x{% endfor %}{% endfor %}",
        "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..60) %}{% assign a = a | append: a %}"
        "{% endfor %}",
        "{% for i in (1..1000000000) %}{{ i }}{% endfor %}",
    ],
)
def test_a_wrong_or_greedy_template_is_refused_with_a_sentence(source: str) -> None:
    with pytest.raises(TemplateError, match=r"^[^\n]+$"):
        text(source, lead={"name": "x"})


def test_wrong_templates_are_all_named_before_anything_is_sent() -> None:
    wrong = book(
        alert_sms="{% if %}", alert_html="{% render 'absent' %}", hello_txt="{{ 'x' | nofilter }}"
    )
    assert problems(BOOK.messages) == []
    assert [sentence.split(":")[0] for sentence in problems(wrong.messages)] == [
        "templates/alert.html.liquid",
        "templates/alert.sms.liquid",
        "templates/hello.txt.liquid",
    ]


def test_a_cyrillic_sms_keeps_its_quotation_marks_and_loses_only_odd_spaces() -> None:
    assert sms.normalised("«Да»\u202f—\u00a0нет\n\n ок ") == "«Да» — нет\nок"


def test_a_latin_sms_is_made_cheap() -> None:
    cheap = sms.normalised("“Bonjour”\u202f! L’été… c’est " + "x" * 130)
    assert cheap.startswith("\"Bonjour\" ! L'été... c'est")
    assert sms.parts(cheap) == 1


@pytest.mark.parametrize(
    ("written", "parts"), [("я" * 70, 1), ("я" * 71, 2), ("a" * 160, 1), ("a" * 161, 2)]
)
def test_parts_are_counted_as_the_network_does(written: str, parts: int) -> None:
    assert sms.parts(written) == parts
