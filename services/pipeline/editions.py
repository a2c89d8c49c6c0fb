"""A company's rulebook in force, and the earlier ones that decided something of a lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shared.contract.directory import PublishedRulebook
from shared.contract.envelope import Because, Envelope
from shared.domain.directory import Directory
from shared.domain.names import Names
from shared.domain.rulebook.declaration import Declaration
from shared.domain.rulebook.loader import RulebookError
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime.companies import Books
from shared.runtime.postgres import Transaction

_PUBLISHED = """
SELECT document FROM directory WHERE tenant = $1 AND kind = 'rulebook' AND id = ANY($2)
"""
_LAST_PUBLISHED = """
SELECT document FROM directory WHERE tenant = $1 AND kind = 'rulebook' ORDER BY record DESC
"""


@dataclass(frozen=True, slots=True)
class Saying:
    """A rule's sentence. `version` is that of the rulebook whose words these are: another than the
    one that decided, where that one was never published and so is not kept."""

    text: str
    version: str


class Editions:
    """The rulebook in force and those that decided before it, as far as they are kept."""

    def __init__(self, current: Rulebook, earlier: Iterable[Rulebook] = ()) -> None:
        self.current = current
        self._earlier = tuple(earlier)
        self._sentences = {book.version: sentences_of(book) for book in (*self._earlier, current)}

    def saying(self, because: Because | None) -> Saying | None:
        """What the rule says in the version that decided; else what it says now, if it is there."""
        if because is None:
            return None
        kept = because.version in self._sentences
        version = because.version if kept else self.current.version
        text = self._sentences[version].get(because.rule)
        return Saying(text, version) if text is not None else None

    def names(self, directory: Directory) -> Names:
        """What ids are called now; what has gone since keeps its last name."""
        names = Names.of(self.current, directory)
        for book in self._earlier:
            names.learn(Names.of(book, directory))
        return names


async def read(
    tx: Transaction, books: Books, current: Rulebook, envelopes: Iterable[Envelope]
) -> Editions:
    """With every version that these events name, as it was published."""
    tenant = current.tenant
    named = {event.data.because.version for event in envelopes if event.data.because}
    named.discard(current.version)
    found = {version: books.known(tenant, version) for version in named}
    if missing := [version for version, book in found.items() if book is None]:
        for row in await tx.fetch(_PUBLISHED, tenant, missing):
            book = _read(books, tenant, row["document"])
            if book is not None:
                found[book.version] = book
    return Editions(current, [book for book in found.values() if book is not None])


async def in_force(tx: Transaction, books: Books, folder: Rulebook) -> Rulebook:
    """The last one published for the folder's company that this release can use, else the folder's
    own (decision record 15)."""
    async for row in tx.cursor(_LAST_PUBLISHED, folder.tenant, prefetch=1):
        if (book := _read(books, folder.tenant, row["document"])) is not None:
            return book
    return folder


def _read(books: Books, tenant: str, document: str) -> Rulebook | None:
    """The rulebook as it was published; None if this release cannot use it any more."""
    try:
        return books.read(tenant, PublishedRulebook.model_validate_json(document))
    except RulebookError:
        return None


def sentences_of(book: Rulebook) -> Mapping[str, str]:
    """Each numbered row's own words; entries that share a number are told one after the other."""
    told: dict[str, list[str]] = {}
    for id_, says in _sayings(book):
        said = told.setdefault(id_, [])
        if says not in said:
            said.append(says)
    return {id_: " / ".join(said) for id_, said in told.items()}


def _sayings(book: Rulebook) -> Iterator[tuple[str, str]]:
    """(number, sentence) of all rules, and of the declarations that quote their row."""
    yield from ((rule.id, rule.says) for rule in book.rules)
    yield from ((requirement.id, requirement.says) for requirement in book.requires)
    declared: list[Declaration] = [*book.pipelines.values(), *book.stages.values()]
    declared += [*book.fields.values(), *book.tasks.values(), *book.attempts.values()]
    declared += book.documents.values()
    for each in (*declared, *book.digests, *((book.late,) if book.late else ())):
        if each.rule and each.says:
            yield each.rule, each.says
