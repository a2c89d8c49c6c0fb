"""An explanation goes from the inbound record to each message, with what made each due time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache

from relance.check.moves import beginnings
from relance.cli_rulebook import RULEBOOKS
from relance.explain import Explanation, as_json, as_text
from relance.explain_chain import by_id
from relance.people.deed import accomplish
from relance.people.stand import House, Stand, working_morning
from relance.simulation.company import read_company
from relance.simulation.service import Pipeline
from services.pipeline.editions import Editions
from services.pipeline.history import moments
from shared.contract.envelope import Envelope
from shared.domain.directory import Directory
from shared.domain.names import Names
from shared.domain.rulebook.rulebook import Rulebook


class Kept(Pipeline):
    """Pipeline that keeps a history, as its database does: each cause before what it caused."""

    def __init__(self, book: Rulebook) -> None:
        super().__init__(book)
        self.history: list[Envelope] = []

    def accept(self, envelope: Envelope, directory: Directory) -> list[Envelope]:
        said = super().accept(envelope, directory)
        before = self.world
        if said or before is not self.world or envelope.source != "/pipeline":
            self.history += [envelope, *said]
        return said


@cache
def explanation() -> Explanation:
    """A form on a Monday at 17:50, taken into work, and its qualification not done by 9:20."""
    company = read_company(RULEBOOKS / "axelerator")
    stand = Stand(House.of(company), "explained", working_morning(company.directory))
    kept = Kept(company.book)
    stand.pipeline = kept
    stand.world.services = [kept, *list(stand.world.services)[1:]]
    stand.until(stand.now + timedelta(hours=7, minutes=50))
    form = next(move for move in beginnings(stand) if "phone and email" in move.words)
    assert form.do(stand)
    (lead,) = stand.leads
    assert accomplish(stand, lead.id, {"act": "move", "to": "in_work"}, "anna", may_wait=False)
    stand.until(stand.now + timedelta(hours=16))
    names = Names.of(company.book, company.directory)
    hours = company.directory.opening("minsk")
    told = tuple(moments(kept.history, Editions(company.book), names, hours.zone))
    lead = stand.lead(lead.id)
    return Explanation(lead, told, company.book, names, hours, by_id(kept.history))


def flat() -> str:
    return " ".join(as_text(explanation()).split())


def test_a_due_time_is_told_by_the_slice_of_the_calendar_that_made_it() -> None:
    assert (
        "30m from Mon 2 Mar 17:50 in open hours: Mon 2 Mar 17:50–18:00 (10 min), "
        "Tue 3 Mar 09:00–09:20 (20 min)"
    ) in flat()


def test_a_message_is_told_with_the_chain_from_what_came_in_to_itself() -> None:
    text = flat()

    assert "inbound record " in text
    assert "because web form from" in text
    assert "because Анна Соколова: move in_work (Mon 17:50) → watch «Связаться с клиентом" in text
    assert "was due Tue 3 Mar 09:20" in text
    assert text.count("because ") == 3  # the two channels of a message share one reason


def test_every_line_fits_and_every_rule_has_its_sentence_and_version() -> None:
    text = as_text(explanation())

    assert max(len(line) for line in text.splitlines()) <= 80
    assert "↳ 001-23: «Менеджеру автоматически" in text
    assert explanation().book.version in text


def test_as_data_each_chain_begins_with_the_input_and_is_unbroken() -> None:
    history = json.loads(as_json(explanation()))["history"]
    messages = [each for each in history if each["event"]["type"].endswith("notification.sent.v1")]
    kept = explanation().kept

    assert len(messages) >= 4
    for message in messages:
        assert kept[message["chain"][0]].causationid is None
        assert message["event"]["causationid"] == message["chain"][-1]
        assert message["version"] == explanation().book.version
    planned = [each for each in history if each["event"]["type"].endswith("planned.v1")]
    assert planned
    assert all(each["counted"] for each in planned)


def test_words_of_a_version_that_was_never_published_are_those_in_force_and_it_says_so() -> None:
    told = explanation()
    decided = told.book.version
    book = told.book.model_copy(update={"version": "later"})
    said = Editions(book)
    by_later = [replace(moment, says=said.saying(moment.because)) for moment in told.moments]

    text = " ".join(as_text(replace(told, book=book, moments=by_later)).split())

    assert (
        f"(decided by version {decided}, which was not published; the words are of later)" in text
    )


def test_what_has_gone_from_the_rulebook_keeps_its_last_name() -> None:
    told = explanation()
    book = told.book.model_copy(update={"version": "later", "reasons": {}})

    names = Editions(book, [told.book]).names(Directory())

    assert names.reasons == told.names.reasons
    assert told.names.reasons
    assert not Editions(book).names(Directory()).reasons
