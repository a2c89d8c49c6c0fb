"""Companies side by side: whose rulebook counts, and that a batch is taken one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from relance import rulebook_publish
from relance.stack.home import PROJECT
from shared.contract.directory import PublishedRulebook
from shared.contract.envelope import Envelope
from shared.contract.intake import InboundIgnored
from shared.domain.directory import Directory
from shared.domain.rulebook.loader import RulebookError, load, version_of
from shared.runtime.companies import Books, Companies, Company, UnknownTenant, per_company
from shared.runtime.postgres import Transaction
from shared.runtime.subscription import BatchHandler, Park

TX = cast("Transaction", None)
AXELERATOR = PROJECT / "rulebooks" / "axelerator"


def published(name: str = "axelerator", **files: str) -> PublishedRulebook:
    """A rulebook of ours as it is published, with some files in the place of others."""
    document, _ = rulebook_publish.read(PROJECT / "rulebooks" / name)
    whole = {**document.files, **{f"{key}.toml": text for key, text in files.items()}}
    return document.model_copy(update={"files": whole, "id": version_of(whole)})


def event(tenant: str, id_: str) -> Envelope:
    data = InboundIgnored(source="phone", why="a bounce")
    return Envelope.model_validate(
        {
            "id": id_,
            "source": "/intake",
            "type": data.type,
            "subject": id_,
            "time": "2026-03-02T10:00:00Z",
            "tenant": tenant,
            "data": data,
        }
    )


def test_what_is_published_goes_before_the_folder_and_only_for_its_own_tenant() -> None:
    folder = load(published().files)
    changed = published(rulebook=published().files["rulebook.toml"].replace('"2h"', '"3h"', 1))
    books = Books(folder)

    alone = books.companies({}, {})
    after = books.companies({}, {"axelerator": changed, "carvivo": published("carvivo")})

    assert alone.of("axelerator").book is folder
    assert after.of("axelerator").book.version == changed.id != folder.version
    assert {company.tenant for company in after} == {"axelerator", "carvivo"}
    assert alone.get("carvivo") is None


def test_the_same_version_is_loaded_once() -> None:
    books, document = Books(), published()

    assert books.read("axelerator", document) is books.read("axelerator", document)


@pytest.mark.parametrize(
    ("tenant", "change", "sentence"),
    [
        ("carvivo", {}, "tenant is 'axelerator', published for 'carvivo'"),
        ("axelerator", {"id": "0123456789ab"}, "not 0123456789ab"),
        ("axelerator", {"files": {"rulebook.toml": "x = 1"}}, "nobody knows this key"),
    ],
)
def test_a_rulebook_that_is_not_what_it_says_is_refused_even_after_a_good_one(
    tenant: str, change: dict[str, Any], sentence: str
) -> None:
    books = Books()
    books.read("axelerator", published())

    with pytest.raises(RulebookError, match=sentence):
        books.read(tenant, published().model_copy(update=change))


def test_a_service_can_have_something_against_a_rulebook() -> None:
    books = Books(checks=[lambda book: [f"{book.name}: too loud"]])

    with pytest.raises(RulebookError, match="axelerator: too loud"):
        books.read("axelerator", published())


async def test_each_company_has_its_own_handler_and_its_own_part_in_order_of_their_names() -> None:
    taken: list[tuple[str, list[str]]] = []

    def handler_of(company: Company) -> BatchHandler:
        async def handle(tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
            assert tx is TX
            taken.append((company.tenant, [each.id for each in batch]))
            return batch

        return handle

    companies = Books().companies({}, {"axelerator": published(), "carvivo": published("carvivo")})

    async def known(_: Transaction) -> Companies:
        return companies

    batch = [event("carvivo", "1"), event("axelerator", "2"), event("carvivo", "3")]
    said = await per_company(known, handler_of)(TX, batch)

    assert taken == [("axelerator", ["2"]), ("carvivo", ["1", "3"])]
    assert [each.id for each in said] == ["2", "1", "3"]


async def test_an_event_of_a_company_without_a_rulebook_waits_with_a_sentence() -> None:
    async def known(_: Transaction) -> Companies:
        return Companies({})

    with pytest.raises(Park, match="there is no rulebook of tenant 'nobody' here") as waits:
        await per_company(known, lambda _: pytest.fail("nobody's handler"))(
            TX, [event("nobody", "7")]
        )
    assert waits.value.envelope_id == "7"
    with pytest.raises(UnknownTenant):
        Companies({"a": Company(load(published().files), Directory())}).of("b")
