"""A file of leads: each row is a lead once, whatever the file is called and however often it
comes; a row that cannot be used stops no other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

import pytest

from relance.simulation.input import Input
from relance.simulation.world import World
from services.intake.core.arrival import Refusal
from services.intake.doors.file import FileDoor
from services.intake.formats.csv_rows import read
from services.intake.formats.mail_process import MailReaders
from services.intake.formats.payload import Payload
from services.intake.houses import Entrance
from services.intake.reception import Reception
from shared.contract.directory import Site
from shared.contract.envelope import Envelope
from shared.contract.intake import InboundQuarantined, LeadReceived
from shared.contract.topics import INTAKE, Topic
from shared.domain.directory import Directory
from shared.domain.rulebook.source import Source
from shared.runtime import clock
from shared.runtime.clock import ClockFile, MachineClock

SOURCE = Source.model_validate(
    {
        "id": "affectations",
        "label": "Fichier",
        "format": "csv",
        "doors": ["file"],
        "site": "paris",
        "mapping": {"Réf": "id", "Nom": "name", "Téléphone": "phone", "CF": "owner"},
    }
)
PARIS = Site(id="paris", name="Paris", zone="Europe/Paris", region="FR", calendar="office")
FILE = (
    "Réf;Nom;Téléphone;CF;Ville\n17;Léa;06 12 34 56 78;CM;Lyon\n;;;;\n18;Tom;06 98 76 54 32;DR;\n"
)


class Known:
    directory = Directory.of([PARIS])


class Doors:
    def __init__(self) -> None:
        self.events: list[Envelope] = []
        self.letters = 0

    async def send(self, topic: str, **_: object) -> tuple[int, int]:
        self.letters += 1
        return 0, 0

    async def send_event(self, topic: Topic, envelope: Envelope, key: str) -> tuple[int, int]:
        if topic is INTAKE:
            self.events.append(envelope)
        return 0, 0


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[datetime]:
    """The clock stands still at this instant."""
    at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    clock.use(ClockFile.create(tmp_path / "clock", at))
    yield at
    clock.use(MachineClock())


def reception(doors: Doors) -> Reception:
    return Reception("academy", b"key", doors, Known(), MailReaders())


def payload(text: str, encoding: str = "utf-8") -> Payload:
    return Payload("http", "text/csv", text.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_file_is_read_as_any_spreadsheet_writes_it(encoding: str, delimiter: str) -> None:
    rows = read(SOURCE, payload(FILE.replace(";", delimiter), encoding))

    assert [(row.number, row.arrival.name, row.arrival.owner) for row in rows] == [
        (2, "Léa", "CM"),
        (4, "Tom", "DR"),
    ]
    assert rows[0].arrival.text == "Ville: Lyon"  # what no column says is kept for people
    assert len({row.arrival.batch for row in rows}) == 1


def test_a_row_without_an_id_is_known_by_what_it_says() -> None:
    once = read(SOURCE, payload("Nom;Téléphone\nLéa;06 12 34 56 78\n"))
    more = read(SOURCE, payload("Nom;Téléphone\nTom;06 98 76 54 32\nLéa;06 12 34 56 78\n"))

    assert once[0].arrival.provider_id == more[1].arrival.provider_id
    assert once[0].arrival.provider_id != more[0].arrival.provider_id


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Nom;Ville\nLéa;Lyon\n", "the first line names no column Téléphone; it has Nom, Ville"),
        ("", "the first line names no column Téléphone; it has "),
        ("Nom;Téléphone\n;\n", "the file has no row below its first line"),
    ],
)
def test_a_file_that_is_no_file_of_leads_is_refused_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(SOURCE, payload(text))
    assert refused.value.sentence == why


async def test_each_row_becomes_a_lead_and_a_bad_one_stops_no_other() -> None:
    doors = Doors()
    text = f"{FILE}19;Zoé;12;EB;\n"

    reads = await reception(doors).take_rows(SOURCE, payload(text))

    assert [type(each.data) for each in doors.events] == [
        LeadReceived,
        LeadReceived,
        InboundQuarantined,
    ]
    refusal = reads[2].refusal
    assert refusal is not None
    assert refusal.sentence.startswith("row 5: '12' is no complete phone number")
    assert doors.letters == 1


async def test_rows_that_come_at_one_instant_keep_the_order_of_the_file(
    frozen: datetime,
) -> None:
    doors = Doors()
    rows = "".join(f"{n};Léa;06 12 34 {n // 100:02} {n % 100:02};CM;\n" for n in range(1_200))

    await reception(doors).take_rows(SOURCE, payload(f"Réf;Nom;Téléphone;CF;Ville\n{rows}"))

    times = [event.time for event in doors.events]
    assert times == [frozen - timedelta(microseconds=1_199 - n) for n in range(1_200)]


def test_the_simulated_world_says_of_a_file_what_the_door_says(frozen: datetime) -> None:
    text = f"{FILE}19;Zoé;12;EB;\n"
    world = World("academy", frozen, Known.directory, [])

    said = world.receive_file(Input(SOURCE, "file", file=text))

    doors = Doors()
    asyncio.run(reception(doors).take_rows(SOURCE, payload(text)))
    assert [(each.id, each.time, each.data) for each in said] == [
        (each.id, each.time, each.data) for each in doors.events
    ]
    assert isinstance(said[2].data, InboundQuarantined)
    assert said[2].data.why.startswith("row 5: '12' is no complete phone number")


class Hearer:
    """A service that says nothing and remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def accept(self, envelope: Envelope, directory: Directory) -> list[Envelope]:
        self.heard.append(envelope.id)
        return []

    def next_instant(self) -> datetime | None:
        return None

    def fire(self, now: datetime, directory: Directory) -> list[Envelope]:
        return []

    redirect = fire


async def test_in_the_simulated_world_too_a_row_is_heard_once_however_often_it_stands_there(
    frozen: datetime,
) -> None:
    hearer = Hearer()
    world = World("academy", frozen, Known.directory, [hearer])
    twice = f"{FILE}17;Léa;06 12 34 56 78;CM;Lyon\n"

    said = [world.receive_file(Input(SOURCE, "file", file=text)) for text in (twice, twice, FILE)]

    doors = Doors()
    await reception(doors).take_rows(SOURCE, payload(twice))
    ids = [each.id for each in doors.events]
    assert [[each.id for each in rows] for rows in said] == [ids, ids, ids[:2]]
    assert hearer.heard == ids[:2]
    assert [each.id for each in world.log] == [*ids, *ids, *ids[:2]]


async def test_the_same_file_again_says_the_same_events() -> None:
    doors = Doors()
    for _ in range(2):
        await reception(doors).take_rows(SOURCE, payload(FILE))

    ids = [event.id for event in doors.events]
    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2


async def test_a_file_put_into_the_folder_is_taken_in_once_and_moved_away(tmp_path: Path) -> None:
    doors = Doors()
    folder = tmp_path / "affectations"
    folder.mkdir()
    complete, growing = folder / "2026-03-02.csv", folder / "still-being-written.csv"
    for path in (complete, growing):
        path.write_text(FILE)
    os.utime(complete, (time() - 60, time() - 60))
    entrance = Entrance("academy", SOURCE, (), reception(doors), "fr", f"/in/{SOURCE.id}")
    door = FileDoor(lambda: [entrance], tmp_path)

    assert await door.sweep() == 1
    assert await door.sweep() == 0

    assert len(doors.events) == 2
    assert [path.name for path in folder.glob("*.csv")] == ["still-being-written.csv"]
    assert (folder / "done" / "2026-03-02.csv").read_text() == FILE
