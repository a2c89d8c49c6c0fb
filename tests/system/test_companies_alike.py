"""Two companies on one deployment that are alike in everything but their names: the same rulebook,
agents and sources, and the same people who write to both. Nothing of one is seen by the other."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from relance import contact, database, directory, rulebook_publish
from relance.audit import audit
from relance.explain import NoLead, as_text, explain
from relance.key import create
from relance.ledgers import read_ledgers
from relance.outside import Outside, mail_from
from relance.rulebook_publish import Office
from relance.stack.stack import RULEBOOK, Stack
from relance.stack.surroundings import LOCAL_SECRET
from relance.stepper import Stepper
from relance.topic_reader import read_to_end
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import OptOutReceived
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import LeadCreated
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE
from shared.domain.rulebook.loader import version_of
from shared.runtime.clock import ClockFile
from tests.stack import temporary_home
from tests.system.test_local_stack import until

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)  # eleven o'clock in Minsk
HOME, GUEST = "axelerator", "elsewhere"


@dataclass
class House:
    """One of the companies, as its agents and those who write to it meet it."""

    tenant: str
    rulebook: Path
    stack: Stack
    keys: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: object = None, by: str = "anna") -> httpx2.Response:
        url = f"{self.stack.services['pipeline'].url}{path}"
        headers = {"authorization": f"Bearer {self.keys[by]}"}
        return httpx2.request(method, url, json=body, headers=headers, timeout=20)

    def act(self, lead: str, act: str, by: str = "anna", **arguments: Any) -> httpx2.Response:
        return self.ask("POST", f"/api/leads/{lead}/actions", {"act": act, **arguments}, by)

    def leads(self, words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"/api/leads?q={words}").json()["leads"]
        return found

    def lead(self, words: str) -> dict[str, Any]:
        """The only lead that these words find."""
        (found,) = self.leads(words)
        shown: dict[str, Any] = self.ask("GET", f"/api/leads/{found['id']}").json()
        return shown

    def desk(self) -> contact.Desk:
        return contact.Desk(self.stack.services["pipeline"].url, self.keys["boss"])


@dataclass
class Town:
    """Both companies, and the clock that they share."""

    stack: Stack
    clock_file: Path
    home: House
    guest: House

    @property
    def houses(self) -> tuple[House, House]:
        return self.home, self.guest

    @property
    def office(self) -> Office:
        return Office(self.stack.services["intake"].url, LOCAL_SECRET)

    def settle(self) -> None:
        self.until(ClockFile(self.clock_file).now())

    def until(self, instant: datetime) -> None:
        """Time passes, and everything that was said has taken effect."""

        async def passes() -> None:
            urls = [service.url for service in self.stack.services.values()]
            async with Stepper(urls, self.stack.kafka.bootstrap, self.clock_file) as stepper:
                await stepper.settle()
                await stepper.run_until(instant)

        asyncio.run(passes())

    def form(self, house: House, phone: str, email: str, name: str = "Иван") -> None:
        url = f"{self.stack.services['intake'].url}/in/{house.tenant}/site"
        said = {"phone": phone, "email": email, "name": name, "submission": uuid.uuid4().hex}
        headers = {"authorization": f"Bearer {LOCAL_SECRET}"}
        answer = httpx2.post(url, data=said, headers=headers, timeout=20)
        assert answer.status_code == 202, answer.text

    def mail(self, house: House, sender: str, text: str) -> None:
        mailbox = f"sales@{house.tenant}.example"
        message = mail_from(sender, mailbox, "Re: заявка", text, f"<{uuid.uuid4().hex}@x.example>")

        async def goes() -> None:
            intake = self.stack.services["intake"].url
            smtp = ("127.0.0.1", self.stack.intake_smtp_port)
            async with Outside(
                intake_url=intake, smtp=smtp, kafka=self.stack.kafka.bootstrap
            ) as outside:
                await outside.mail(message)

        asyncio.run(goes())

    def said(self, type_: type[Event]) -> list[Envelope]:
        """Everything of that type that was ever said, by whichever service."""
        topics = (INTAKE, PIPELINE, NOTIFICATIONS)
        by_topic = asyncio.run(read_to_end(self.stack.kafka.bootstrap, topics))
        return [e for events in by_topic.values() for e in events if type(e.data) is type_]

    def parked(self, tenant: str) -> int:
        """How many events of that company wait in pipeline."""

        async def counted() -> int:
            async with database.transaction("pipeline") as tx:
                asked = "SELECT count(*) FROM parked WHERE convert_from(value, 'UTF8') LIKE $1"
                return int(await tx.fetchval(asked, f'%"tenant":"{tenant}"%'))

        return asyncio.run(counted())

    def person(self) -> tuple[str, str]:
        """Somebody new, with a phone and an e-mail, who writes to both."""
        word = uuid.uuid4()
        phone, email = f"+37529{word.int % 10**7:07}", f"{word.hex[:12]}@x.example"
        for house in self.houses:
            self.form(house, phone, email)
        self.settle()
        return phone, email


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("guest") / GUEST
    shutil.copytree(RULEBOOK, folder)
    for file in ("rulebook.toml", "sources.toml", "directory.toml"):
        text = (folder / file).read_text(encoding="utf-8")
        text = text.replace(f'"{HOME}"', f'"{GUEST}"').replace(
            f"{HOME}.example", f"{GUEST}.example"
        )
        (folder / file).write_text(text, encoding="utf-8")
    home = temporary_home()
    home.prepare()
    clock_file = home.folder / "clock"
    ClockFile.create(clock_file, MONDAY)
    with pytest.MonkeyPatch.context() as environment, Stack(home, clock_file=clock_file) as stack:
        environment.setenv("RELANCE_HOME", str(home.folder))
        environment.setenv("RELANCE_POSTGRES", stack.postgres.dsn())
        houses = House(HOME, RULEBOOK, stack), House(GUEST, folder, stack)
        office = Office(stack.services["intake"].url, LOCAL_SECRET)
        rulebook_publish.publish(folder, office)
        for house in houses:
            directory.apply(
                house.rulebook / "directory.toml", office.url, office.key, tenant=house.tenant
            )
        town = Town(stack, clock_file, *houses)
        town.settle()
        for house in houses:
            for agent in ("anna", "boris", "boss"):
                house.keys[agent] = asyncio.run(create(house.rulebook, agent, None)).split()[-1]
        yield town
    home.remove()


def test_who_writes_to_both_has_a_lead_with_each_and_they_never_meet(town: Town) -> None:
    phone, email = town.person()
    mine, theirs = (house.lead(phone) for house in town.houses)
    town.form(town.home, phone, email)
    town.form(town.home, phone, f"second-{email}")
    town.settle()

    assert mine["id"] != theirs["id"]
    assert mine["number"] != theirs["number"]
    assert [each["id"] for each in town.home.leads(f"second-{email}")] == [mine["id"]]
    assert town.guest.leads(f"second-{email}") == []
    assert town.guest.lead(email) == theirs
    made = [e for e in town.said(LeadCreated) if e.subject in (mine["id"], theirs["id"])]
    assert {e.tenant for e in made} == {HOME, GUEST}
    assert len({e.subject for e in made}) == 2


def test_a_key_of_one_opens_nothing_of_the_other_and_says_so_in_a_sentence(town: Town) -> None:
    phone, _ = town.person()
    theirs = town.guest.lead(phone)
    for reference in (theirs["id"], theirs["number"]):
        for answer in (
            town.home.ask("GET", f"/api/leads/{reference}", by="boss"),
            town.home.act(reference, "note", by="boss", text="whose is it?"),
            town.home.act(reference, "export_contact", by="boss"),
            town.home.act(reference, "erase_contact", by="boss"),
        ):
            assert answer.status_code == 404
            assert answer.json()["detail"] == f"There is no lead '{reference}'."
    assert town.guest.lead(phone) == theirs
    assert theirs["id"] not in [lead["id"] for lead in town.home.leads("")]


def test_stop_to_one_leaves_the_other_free_to_write(town: Town) -> None:
    phone, email = town.person()
    town.mail(town.home, email, "STOP")
    town.settle()
    assert [e.tenant for e in town.said(OptOutReceived)] == [HOME]

    letter = {"template": "blank", "subject": "О нас", "text": "Здравствуйте!"}
    refused, taken = (house.act(house.lead(phone)["id"], "send", **letter) for house in town.houses)
    town.settle()

    assert (refused.status_code, taken.status_code) == (409, 200)
    assert [need["missing"] for need in refused.json()["needs"]] == [["block"]]
    lead = town.guest.lead(phone)["id"]
    told = [e.data for e in town.said(NotificationSent) if e.subject == lead]
    templates = [
        each.template
        for each in told
        if isinstance(each, NotificationSent) and each.to == "contact"
    ]
    assert templates == ["blank"]


def test_a_person_is_handed_out_and_erased_by_one_and_stays_with_the_other(town: Town) -> None:
    phone, email = town.person()
    mine, theirs = (house.lead(phone) for house in town.houses)

    document = contact.export(town.home.desk(), mine["number"], None)
    assert mine["id"] in document
    assert theirs["id"] not in document
    assert "Erased" in contact.erase(town.home.desk(), mine["number"], for_real=True)
    town.settle()

    assert town.home.leads(phone) == town.home.leads(email) == []
    assert town.guest.lead(phone) == theirs
    assert email in contact.export(town.guest.desk(), theirs["id"], None)


def test_the_operator_is_told_of_a_lead_under_its_own_company_only(town: Town) -> None:
    phone, _ = town.person()
    mine, theirs = (house.lead(phone) for house in town.houses)
    for reference in (theirs["id"], theirs["number"]):
        with pytest.raises(NoLead, match=f"of {HOME}"):
            asyncio.run(explain(RULEBOOK, reference))
    told = as_text(asyncio.run(explain(town.guest.rulebook, theirs["number"])))
    assert theirs["number"] in told
    assert mine["number"] not in told


def test_what_waits_for_one_does_not_hold_up_the_same_person_with_the_other(town: Town) -> None:
    """A company whose directory nobody has applied yet: its inputs wait for their site."""
    document, _ = rulebook_publish.read(town.guest.rulebook)
    files = {
        name: text.replace(f'"{GUEST}"', '"opening"').replace(f"{GUEST}.example", "opening.example")
        for name, text in document.files.items()
    }
    opening = document.model_copy(update={"files": files, "id": version_of(files)})
    rulebook_publish._put(town.office, "opening", opening)
    opened = House("opening", town.guest.rulebook, town.stack)
    phone = f"+37529{uuid.uuid4().int % 10**7:07}"

    town.form(opened, phone, "x@x.example")
    until(lambda: town.parked("opening"))
    town.form(town.home, phone, "x@x.example")

    assert until(lambda: town.home.leads(phone))
    assert town.parked("opening") == 1
    directory.apply(
        town.guest.rulebook / "directory.toml", town.office.url, LOCAL_SECRET, tenant="opening"
    )
    until(lambda: not town.parked("opening"))


def test_each_is_told_in_the_morning_of_its_own_leads(town: Town) -> None:
    phones = [town.person()[0], town.person()[0]]
    town.home.act(town.home.lead(phones[1])["id"], "close", status="invalid")
    numbers = {
        house.tenant: {lead["number"] for lead in house.leads("") if lead["status"] == "open"}
        for house in town.houses
    }
    town.until(MONDAY + timedelta(hours=23))

    for house in town.houses:
        mails = [mail for mail in town.stack.mail.messages() if _is_digest(mail, house)]
        told = " ".join(mail["text"] for mail in mails)
        others = {n for tenant, them in numbers.items() if tenant != house.tenant for n in them}
        assert {mail["to"][0].partition("@")[0] for mail in mails} >= {"boss"}
        assert {n for n in numbers[house.tenant] if n not in told} == set()
        assert {n for n in others if n in told} == set()


def test_a_rulebook_published_for_one_changes_nothing_for_the_other(
    town: Town, tmp_path: Path
) -> None:
    phone, _ = town.person()
    before = {house.tenant: _due(house.lead(phone)) for house in town.houses}
    slower = tmp_path / GUEST
    shutil.copytree(town.guest.rulebook, slower)
    book = (slower / "rulebook.toml").read_text(encoding="utf-8")
    was, becomes = (f'max     = "48h"\ndefault = "{hours}h"' for hours in (2, 5))
    (slower / "rulebook.toml").write_text(book.replace(was, becomes), encoding="utf-8")
    assert "5 instead of 2 hours" in rulebook_publish.publish(slower, town.office)
    town.settle()

    assert rulebook_publish.in_force(town.office, HOME) is None  # by its folder, as before
    assert {house.tenant: _due(house.lead(phone)) for house in town.houses} == before
    anew, _ = town.person()
    assert [_due(house.lead(anew)) for house in town.houses] == [
        timedelta(hours=2),
        timedelta(hours=5),
    ]


def test_the_audit_of_both_together_finds_nothing(town: Town) -> None:
    town.person()
    stack, now = town.stack, ClockFile(town.clock_file).now()
    ledgers = asyncio.run(
        read_ledgers(
            kafka=stack.kafka.bootstrap,
            postgres=stack.postgres.dsn(),
            mail_url=stack.mail.url,  # the sandbox forgets what it shows of who was erased
            at=now,
        )
    )
    report = audit(ledgers)
    assert report.counts["leads"] > 0
    assert [finding.sentence for finding in report.findings] == []


def _due(lead: dict[str, Any]) -> timedelta:
    due_at = datetime.fromisoformat(lead["next_due_at"])
    return due_at - datetime.fromisoformat(lead["received_at"])


def _is_digest(mail: dict[str, Any], house: House) -> bool:
    subject, to = str(mail["subject"]), str(mail["to"][0])
    return subject.startswith(("План", "Отдел")) and to.endswith(f"@{house.tenant}.example")
