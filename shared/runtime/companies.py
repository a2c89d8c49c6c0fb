"""The companies of a deployment: each tenant's rulebook and directory, per transaction.

A published rulebook goes before the folder that RELANCE_RULEBOOK names (rule 25).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.contract.directory import PublishedRulebook
from shared.contract.envelope import Envelope
from shared.domain.directory import Directory
from shared.domain.rulebook import loader
from shared.domain.rulebook.loader import RulebookError
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime import rulebook_folder
from shared.runtime.postgres import Transaction
from shared.runtime.settings import Settings
from shared.runtime.subscription import BatchHandler, Park

Check = Callable[[Rulebook], Sequence[str]]
"""What a service has against a rulebook, a sentence each."""


@dataclass(frozen=True, slots=True)
class Company:
    """One tenant: its rulebook in force, and its directory.

    `attachments` are the files of a published rulebook, base64 by name; those of the folder are
    read from it.
    """

    book: Rulebook
    directory: Directory
    attachments: Mapping[str, str] | None = None

    @property
    def tenant(self) -> str:
        """Its name."""
        return self.book.tenant


class UnknownTenant(LookupError):
    """Nobody has published a rulebook for this tenant (yet); its events wait."""

    def __init__(self, tenant: str) -> None:
        super().__init__(
            f"there is no rulebook of tenant {tenant!r} here: publish one with "
            "`relance rulebook publish`"
        )


class Companies:
    """All of them; nothing of one is found under the name of another."""

    def __init__(self, companies: Mapping[str, Company], version: int = 0) -> None:
        self._by_tenant = dict(companies)
        self.version = version
        """Rises with every change of any directory or rulebook."""

    def __iter__(self) -> Iterator[Company]:
        return iter(self._by_tenant.values())

    def get(self, tenant: str) -> Company | None:
        """The tenant's company, if it has one."""
        return self._by_tenant.get(tenant)

    def of(self, tenant: str) -> Company:
        """The tenant's company; raises `UnknownTenant`."""
        found = self._by_tenant.get(tenant)
        if found is None:
            raise UnknownTenant(tenant)
        return found


@dataclass
class Books:
    """Rulebooks by tenant and version, loaded once; what is published is checked before it counts.

    `home` is that of the folder; `checks` are the service's own, beside the loader's.
    """

    home: Rulebook | None = None
    checks: list[Check] = field(default_factory=list)
    _known: dict[tuple[str, str], Rulebook] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Books:
        """With the folder's rulebook, if RELANCE_RULEBOOK names one.

        Raises `WrongSetting` and `RulebookError`.
        """
        return cls(rulebook_folder.read(settings.rulebook) if settings.rulebook else None)

    def read(self, tenant: str, document: PublishedRulebook) -> Rulebook:
        """The rulebook that was published for `tenant`; raises `RulebookError`."""
        version = loader.version_of(document.files)
        known = self._known.get((tenant, version))
        if known is not None and version == document.id:
            return known
        book = loader.load(document.files)
        problems = [problem for check in self.checks for problem in check(book)]
        if book.tenant != tenant:
            problems.append(f"rulebook.toml: tenant is {book.tenant!r}, published for {tenant!r}")
        if book.version != document.id:
            problems.append(f"its files make version {book.version}, not {document.id}")
        if problems:
            raise RulebookError(problems)
        self._known[tenant, document.id] = book
        return book

    def known(self, tenant: str, version: str) -> Rulebook | None:
        """A rulebook of `tenant` that was read before, or the folder's; None if it was not."""
        if self.home is not None and (self.home.tenant, self.home.version) == (tenant, version):
            return self.home
        return self._known.get((tenant, version))

    def companies(
        self,
        directories: Mapping[str, Directory],
        published: Mapping[str, PublishedRulebook],
        version: int = 0,
    ) -> Companies:
        """Every tenant that has a rulebook, with its directory, empty while nobody told it.

        Raises `RulebookError` for a published one that was not read before and cannot be.
        """
        books = {} if self.home is None else {self.home.tenant: self.home}
        books |= {tenant: self.read(tenant, each) for tenant, each in published.items()}
        found = {
            tenant: Company(
                book,
                directories.get(tenant) or Directory(),
                published[tenant].attachments if tenant in published else None,
            )
            for tenant, book in books.items()
        }
        return Companies(found, version)


CompaniesOf = Callable[[Transaction], Awaitable[Companies]]


def per_company(
    companies_of: CompaniesOf, handler_of: Callable[[Company], BatchHandler]
) -> BatchHandler:
    """A handler that takes a batch company by company, in order within each.

    In the order of their names, as contact points are locked (`runtime.md` 14): two batches never
    wait for each other in a circle. Events of a tenant that has no rulebook here are parked.
    """

    async def handle(tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
        companies = await companies_of(tx)
        parts: dict[str, list[Envelope]] = {}
        for envelope in batch:
            parts.setdefault(envelope.tenant, []).append(envelope)
        said: list[Envelope] = []
        for tenant, part in sorted(parts.items()):
            company = companies.get(tenant)
            if company is None:
                raise Park(part[0].id, str(UnknownTenant(tenant)))
            said += await handler_of(company)(tx, part)
        return said

    return handle
