"""Two companies on one stack: each by its own rulebook, and nothing of one seen by the other."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from relance import directory, rulebook_publish
from relance.rulebook_publish import CannotPublish, Office
from relance.stack.home import PROJECT
from relance.stack.stack import Stack
from relance.stack.surroundings import LOCAL_SECRET
from services.pipeline import keys
from shared.domain.rulebook.loader import version_of
from shared.domain.signed_link import Link
from tests.system.test_local_stack import until

CARVIVO, AXELERATOR = (PROJECT / "rulebooks" / name for name in ("carvivo", "axelerator"))


class House:
    """One company as its agents and its callers meet it."""

    def __init__(self, stack: Stack, tenant: str, phone_path: str, agent: str) -> None:
        self.tenant, self._phone = tenant, f"{stack.services['intake'].url}{phone_path}"
        key = asyncio.run(_key(stack, tenant, agent))
        self._http = httpx2.Client(
            base_url=stack.services["pipeline"].url,
            timeout=20,
            headers={"authorization": f"Bearer {key}"},
        )

    def missed_call(self, phone: str) -> None:
        call = {"call_id": uuid.uuid4().hex, "from": phone, "status": "missed"}
        answer = httpx2.post(
            self._phone, json=call, headers={"authorization": f"Bearer {LOCAL_SECRET}"}, timeout=20
        )
        assert answer.status_code == 202, answer.text

    def leads(self, phone: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._http.get("/api/leads", params={"q": phone}).json()[
            "leads"
        ]
        return found

    def lead(self, phone: str) -> dict[str, Any]:
        (lead,) = until(lambda: self.leads(phone))
        until(lambda: self._shown(lead["id"]).json()["deadlines"])
        shown: dict[str, Any] = until(
            lambda: (s := self._shown(lead["id"]).json()) and s["next_due_at"] and s
        )
        return shown

    def status_of(self, lead: str) -> int:
        return self._shown(lead).status_code

    def act(self, lead: str, action: dict[str, Any]) -> None:
        answer = self._http.post(f"/api/leads/{lead}/actions", json=action)
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        self._http.close()

    def _shown(self, lead: str) -> httpx2.Response:
        return self._http.get(f"/api/leads/{lead}")


@pytest.fixture(scope="module")
def office(stack: Stack) -> Office:
    return Office(stack.services["intake"].url, LOCAL_SECRET)


@pytest.fixture(scope="module")
def carvivo(stack: Stack, office: Office) -> Iterator[House]:
    rulebook_publish.publish(CARVIVO, office, "for the test")
    directory.apply(CARVIVO / "directory.toml", office.url, office.key, tenant="carvivo")
    house = House(stack, "carvivo", "/in/carvivo/telephone", "anna")
    yield house
    house.close()


@pytest.fixture(scope="module")
def axelerator(stack: Stack) -> Iterator[House]:
    house = House(stack, "axelerator", "/in/phone", "anna")
    yield house
    house.close()


@pytest.fixture
def slower(tmp_path: Path) -> Iterator[Path]:
    """Axelerator's rulebook with another default, and one that cannot be used."""
    folder = tmp_path / "axelerator"
    shutil.copytree(AXELERATOR, folder)
    yield folder
    shutil.rmtree(folder)


async def _key(stack: Stack, tenant: str, agent: str) -> str:
    dsn = stack.postgres.dsn("pipeline")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool, pool.acquire() as tx:
        return await keys.create(tx, tenant=tenant, agent=agent)


def taken_up(stack: Stack, office: Office, tenant: str) -> None:
    """Until pipeline goes by the rulebook that is in force: a call may overtake it on Kafka."""
    url = f"{stack.services['pipeline'].url}/health/rulebooks"
    published = rulebook_publish.in_force(office, tenant)
    assert published is not None
    until(lambda: httpx2.get(url, timeout=20).json()[tenant] == published.id)


def delay(lead: dict[str, Any]) -> timedelta:
    due_at = datetime.fromisoformat(lead["next_due_at"])
    return due_at - datetime.fromisoformat(lead["received_at"])


def test_the_same_caller_is_another_lead_in_each_company_and_neither_sees_the_others(
    carvivo: House, axelerator: House
) -> None:
    phone = "+33612000001"
    carvivo.missed_call(phone)
    axelerator.missed_call(phone)

    theirs, ours = carvivo.lead(phone), axelerator.lead(phone)

    assert (theirs["pipeline"], ours["pipeline"]) == ("vente", "sales")
    assert theirs["id"] != ours["id"]
    assert axelerator.status_of(theirs["id"]) == carvivo.status_of(ours["id"]) == 404
    assert {theirs["owner_name"], ours["owner_name"]} <= {
        "Anna Ferrand", "Bruno Lacaze", "Chloé Marchand", "Анна Соколова", "Борис Левин"
    }  # fmt: skip
    assert theirs["history"][0]["text"].endswith("(Téléphone)")


def test_a_rulebook_that_is_published_counts_for_what_comes_next_and_back_again(
    slower: Path, stack: Stack, office: Office, axelerator: House
) -> None:
    before, after, again = "+375291110001", "+375291110002", "+375291110003"
    rulebook_publish.publish(slower, office)
    taken_up(stack, office, "axelerator")
    axelerator.missed_call(before)
    assert delay(axelerator.lead(before)) == timedelta(hours=2)

    book = slower / "rulebook.toml"
    text = book.read_text(encoding="utf-8")
    book.write_text(
        text.replace('max     = "48h"\ndefault = "2h"', 'max     = "48h"\ndefault = "5h"'),
        encoding="utf-8",
    )
    told = "setting «Срок первого ответа» is by default 5 instead of 2 hours"
    assert rulebook_publish.diff(slower, office) == f"- {told}"
    assert told in rulebook_publish.publish(slower, office, "slower")
    taken_up(stack, office, "axelerator")
    axelerator.missed_call(after)

    assert delay(axelerator.lead(after)) == timedelta(hours=5)
    assert delay(axelerator.lead(before)) == timedelta(hours=2)
    assert "slower" in rulebook_publish.listed("axelerator", office)
    assert "is in force for axelerator again" in rulebook_publish.rollback("axelerator", office)
    taken_up(stack, office, "axelerator")
    axelerator.missed_call(again)
    assert delay(axelerator.lead(again)) == timedelta(hours=2)


def test_a_rulebook_that_is_wrong_or_takes_anothers_mailbox_is_not_published(
    office: Office, carvivo: House
) -> None:
    in_force = rulebook_publish.in_force(office, "carvivo")
    document, _ = rulebook_publish.read(CARVIVO)
    stolen = document.files["sources.toml"].replace(
        "contact@carvivo.example", "sales@axelerator.example"
    )
    for files, sentence in (
        ({"rulebook.toml": "tenant = 3"}, "rulebook.toml"),
        ({"sources.toml": stolen}, "is another company's"),
    ):
        whole = {**document.files, **files}
        bad = document.model_copy(update={"files": whole, "id": version_of(whole)})
        with pytest.raises(CannotPublish, match=sentence):
            rulebook_publish._put(office, "carvivo", bad)

    lying = document.model_copy(update={"files": {**document.files, "rulebook.toml": "x = 1"}})
    with pytest.raises(CannotPublish, match=r"rulebook\.toml"):
        rulebook_publish._put(office, carvivo.tenant, lying)
    assert rulebook_publish.in_force(office, "carvivo") == in_force


def test_a_manager_gives_away_the_lead_of_somebody_absent_by_the_link_in_the_message(
    stack: Stack, office: Office, carvivo: House
) -> None:
    phone, now = "+33612000009", datetime.now(UTC)
    away = {
        "agent": "anna",
        "begins": (now - timedelta(days=3)).isoformat(),
        "ends": (now + timedelta(days=3)).isoformat(),
    }
    office.ask("PUT", "/directory/absence/anna-1?tenant=carvivo", away)
    carvivo.missed_call(phone)
    lead = carvivo.lead(phone)
    carvivo.act(lead["id"], {"act": "assign", "to": "anna"})

    link = Link("carvivo", lead["id"], "owner_absent", "boss", now + timedelta(days=1))
    pipeline = stack.services["pipeline"]
    url = f"{pipeline.url}/answer/{link.token(LOCAL_SECRET.encode())}"
    until(lambda: httpx2.get(url, timeout=20).status_code == 200)
    shown = httpx2.get(url, timeout=20)
    assert "Le confier à un autre conseiller" in shown.text
    assert "Chloé Marchand" in shown.text
    assert "Анна" not in shown.text
    assert httpx2.get(f"{url}x", timeout=20).status_code == 410

    given = httpx2.post(url, data={"answer": "give", "to": "chloe"}, timeout=20)
    assert (given.status_code, "Merci" in given.text) == (200, True)
    assert carvivo.lead(phone)["owner"] == "chloe"
    assert httpx2.post(url, data={"answer": "keep"}, timeout=20).status_code == 409
    assert httpx2.get(url, timeout=20).status_code == 410
