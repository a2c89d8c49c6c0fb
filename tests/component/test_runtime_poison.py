"""Bad input is set aside, one event at a time, and stops nobody (`runtime.md` 2, 5)."""

import json

from relance.redrive import queued
from shared.contract.envelope import Envelope
from shared.runtime import quarantine
from tests.toy.bench import Bench
from tests.toy.event import note
from tests.toy.fixtures import bench

__all__ = ["bench"]


def _broken(**changes: object) -> bytes:
    document = json.loads(note("lead-poison", sequence=1).to_bytes())
    return json.dumps(document | changes).encode()


def _text(text: str) -> bytes:
    return note("lead-poison", "@", sequence=1).to_bytes().replace(b'"@"', text.encode())


POISON: dict[str, tuple[bytes | None, str]] = {
    "not JSON": (b"<lead/>", "expected value"),
    "no event": (b"[1, 2]", "JSON object"),
    "another schema": (_broken(data={"text": 7}), "text: Input should be a valid string"),
    "no sequence": (note("lead-poison").to_bytes(), "sequence: missing"),
    "an id that is no UUID": (_broken(id="42"), "id: must be a UUID"),
    "the character NUL": (_text('"\\u0000"'), "NUL"),
    "a lone surrogate": (_text('"\\ud800"'), "hex escape"),
    "an integer beyond 64 bits": (_broken(extra=2**64), "64 bits"),
    "a number beyond all bounds": (_text('"x", "more": 1e999'), "too large"),
    "nesting deeper than 32": (_broken(extra=json.loads("[" * 40 + "]" * 40)), "deeper than 32"),
    "no value": (None, "no value"),
}


async def test_each_kind_of_poison_is_set_aside_and_its_neighbours_are_handled(
    bench: Bench,
) -> None:
    toy = await bench.toy()
    for number, (value, _) in enumerate(POISON.values(), start=1):
        await bench.tell(note("lead-good", f"before {number}", sequence=number))
        await bench.put(value, key=b"lead-good")
    await bench.told_of("lead-good", len(POISON))

    letters = await bench.letters(toy, len(POISON))
    async with toy.postgres.transaction() as tx:
        shown = await quarantine.shown(tx, letters[0]["id"])
    assert [letter["offset"] for letter in letters] == list(range(1, 2 * len(POISON), 2))
    for letter, (kind, (_, why)) in zip(letters, POISON.items(), strict=True):
        assert why in letter["why"], kind
    assert shown is not None
    assert shown["value"] == b"<lead/>"


async def test_poison_is_copied_to_the_dead_letters_as_it_came(bench: Bench) -> None:
    await bench.toy()
    await bench.put(b"<lead/>", key=b"any", headers=[("of", b"\xff\xfe"), ("none", None)])

    letter = await bench.dead_letter()

    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (b"any", b"<lead/>")
    assert headers["of"] == b"\xff\xfe"
    assert headers["none"] is None
    assert headers["relance-topic"] == bench.source.name.encode()
    assert headers["relance-offset"] == b"0"
    assert b"expected value" in (headers["relance-why"] or b"")


async def test_a_header_that_is_no_text_does_not_keep_an_event_from_being_handled(
    bench: Bench,
) -> None:
    await bench.toy()
    await bench.tell(note("lead-1", "hello", sequence=1), headers=[("trace", b"\xc3\x28")])
    await bench.tell(note("lead-1", "again", sequence=2), headers=[("trace", None)])

    assert await bench.told_of("lead-1", 2) == ["hello", "again"]


async def test_an_event_the_core_cannot_take_is_found_among_thirty(bench: Bench) -> None:
    def refuse(envelope: Envelope) -> Exception | None:
        return ZeroDivisionError("no") if envelope.subject == "lead-17" else None

    for number in range(30):
        await bench.tell(note(f"lead-{number}", "hello", sequence=1))
    toy = await bench.toy(refuse=refuse)
    await bench.told(29)

    letters = await bench.letters(toy)
    assert [(letter["subject"], letter["why"]) for letter in letters] == [
        ("lead-17", "ZeroDivisionError: no")
    ]
    assert len(await bench.told(29)) == 29


async def test_an_event_postgresql_refuses_is_found_by_bisection_too(bench: Bench) -> None:
    toy = await bench.toy()
    await toy.postgres.pool.execute(
        "alter table told add constraint not_rude check (text <> 'rude')"
    )
    for number in range(10):
        await bench.tell(note(f"lead-{number}", "rude" if number == 4 else "kind", sequence=1))
    await bench.told(9)

    letters = await bench.letters(toy)
    assert [letter["subject"] for letter in letters] == ["lead-4"]
    assert "CheckViolationError" in letters[0]["why"]


async def test_an_event_that_would_make_a_larger_one_than_allowed_is_set_aside_alone(
    bench: Bench,
) -> None:
    for number in range(6):
        text = "x" * 950_000 if number == 3 else "hello"
        await bench.tell(note(f"lead-{number}", text, sequence=1))
    toy = await bench.toy(echo=True)
    await bench.told(5)

    letters = await bench.letters(toy)
    assert [letter["subject"] for letter in letters] == ["lead-3"]
    assert "over 900 KB" in letters[0]["why"]
    said = await bench.records(f"{bench.name}.events.v1", 5)
    assert {record.key for record in said} == {b"lead-%d" % n for n in (0, 1, 2, 4, 5)}
    assert toy.failure is None


async def test_later_events_of_a_lead_wait_behind_the_one_set_aside_and_follow_it_in_order(
    bench: Bench,
) -> None:
    mended: list[bool] = []

    def refuse(envelope: Envelope) -> Exception | None:
        wrong = envelope.subject == "lead-1" and envelope.sequence == 2 and not mended
        return ValueError("a bug, mended later") if wrong else None

    toy = await bench.toy(refuse=refuse)
    for number in range(1, 5):
        await bench.tell(note("lead-1", f"n{number}", sequence=number))
        await bench.tell(note("lead-2", f"n{number}", sequence=number))
    assert await bench.told_of("lead-2", 4) == ["n1", "n2", "n3", "n4"]
    assert await bench.told_of("lead-1", 1) == ["n1"]
    letters = await bench.letters(toy)
    await bench.parked(toy, 2)

    mended.append(True)
    async with toy.postgres.transaction() as tx:
        (queue,) = await queued(tx, toy.name, [letters[0]["id"]])
        assert [(row.letter, row.sequence) for row in queue.rows] == [
            (letters[0]["id"], 2),
            (None, 3),
            (None, 4),
        ], "an operator sees what runs, in its order, before it does"
        assert queue.gap is None
        assert await quarantine.redrive(tx, [letters[0]["id"]]) == 1

    assert await bench.told_of("lead-1", 4) == ["n1", "n2", "n3", "n4"]
    await bench.parked(toy, 0)


async def test_what_is_still_bad_after_a_redrive_comes_back(bench: Bench) -> None:
    toy = await bench.toy()
    await bench.put(b"<lead/>", key=b"any")
    first = (await bench.letters(toy))[0]

    async with toy.postgres.transaction() as tx:
        await quarantine.redrive(tx, [first["id"]])
    second = await bench.letters(toy, after=first["id"])

    assert second[0]["why"] == first["why"]


async def test_a_dead_letter_without_a_value_does_not_look_like_a_deletion(bench: Bench) -> None:
    await bench.toy()
    await bench.put(None, key=b"gone")

    letter = await bench.dead_letter()

    assert (letter.key, letter.value) == (b"gone", b"")
