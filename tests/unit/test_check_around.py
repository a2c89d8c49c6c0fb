"""Exploring tries what happens around a lead, where the rulebook speaks of it."""

from __future__ import annotations

import pytest

from relance.check.around import around
from relance.check.moves import beginnings
from relance.cli_rulebook import RULEBOOKS
from relance.people.next_step import forgotten
from relance.people.stand import House, Stand, working_morning
from relance.simulation.company import read_company


def begun(name: str) -> Stand:
    """A lead that came by a door with a phone, in the hands of somebody."""
    company = read_company(RULEBOOKS / name)
    stand = Stand(House.of(company), "around", working_morning(company.directory))
    move = next(move for move in beginnings(stand) if "phone" in move.words)
    assert move.do(stand)
    (lead,) = stand.leads
    assert lead.owner is not None
    return stand


def tried(stand: Stand, words: str) -> Stand:
    there = stand.fork()
    move = next(move for move in around(there) if words in move.words)
    assert move.do(there)
    return there


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("car_bdc", "the phone of the house rings"),
        ("car_bdc", "is on the line with the contact"),
        ("car_bdc", "goes on leave"),
        ("car_bdc", "is on a call"),
        ("carvivo", "goes on leave"),
        ("sales_academy", "has called the contact"),
        ("axelerator", "leaves the company"),
    ],
)
def test_it_can_happen_and_nobody_is_forgotten(name: str, words: str) -> None:
    there = tried(begun(name), words)

    assert list(forgotten(there)) == []


def test_what_the_rulebook_does_not_speak_of_is_not_tried() -> None:
    words = " ".join(move.words for move in around(begun("axelerator")))

    assert "rings" not in words
    assert "leave for two weeks" not in words


def test_whoever_is_on_a_call_is_free_again_and_who_has_left_does_nothing_more() -> None:
    stand = begun("car_bdc")

    busy = tried(stand, "is on a call")
    gone = tried(stand, "leaves the company")

    assert any("is free again" in move.words for move in around(busy))
    assert not any("leave" in move.words or "free" in move.words for move in around(gone))
