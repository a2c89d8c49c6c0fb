"""Which company an input is for: the sources of every rulebook in force, by the doors' own names.

Looked up for each input, so that a rulebook that is published counts from the next one on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from services.intake.reception import Reception
from services.intake.settings import secrets_of
from shared.domain.directory import Directory
from shared.domain.rulebook.source import Door, Source
from shared.runtime.companies import Companies, Company
from shared.runtime.settings import WrongSetting

log = structlog.get_logger(__name__)

NOBODY = "nobody"
"""The tenant of inputs for which no company is found, where there is no folder either."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """A source of a company: whom to hand its inputs to, and what its pages are called."""

    tenant: str
    source: Source
    secrets: tuple[str, ...]
    reception: Reception
    language: str
    path: str


class DirectoryOf:
    """One company's directory, as this replica has read it."""

    def __init__(self, companies: Callable[[], Companies], tenant: str) -> None:
        self._companies, self._tenant = companies, tenant

    @property
    def directory(self) -> Directory:
        """The copy in memory; empty while nobody told it."""
        company = self._companies().get(self._tenant)
        return company.directory if company else Directory()


class Houses:
    """All entrances. A company's own address is `/in/TENANT/SOURCE`; that of the folder's tenant
    also `/in/SOURCE`. A mailbox or an upstream name belongs to whoever had it first."""

    def __init__(
        self,
        companies: Callable[[], Companies],
        reception_of: Callable[[str], Reception],
        home: str | None,
    ) -> None:
        self._companies, self._reception_of, self.home = companies, reception_of, home
        self._read: Companies | None = None
        self._entrances: dict[tuple[str, str], Entrance] = {}
        self._receptions: dict[str, Reception] = {}

    @property
    def stranger(self) -> Reception:
        """Takes down what is for nobody."""
        return self.reception(self.home or NOBODY)

    def reception(self, tenant: str) -> Reception:
        """Whoever speaks for that company."""
        if tenant not in self._receptions:
            self._receptions[tenant] = self._reception_of(tenant)
        return self._receptions[tenant]

    def at(self, tenant: str | None, source: str) -> Entrance | None:
        """The entrance of an address."""
        return self._all().get((tenant or self.home or "", source))

    def by_mailbox(self, address: str) -> Entrance | None:
        """The entrance that a mail's recipient is."""
        wanted = address.lower()
        return next((e for e in self.with_door("smtp") if e.source.mailbox == wanted), None)

    def by_cloudevents_source(self, name: str) -> Entrance | None:
        """The entrance that an upstream system names."""
        found = (e for e in self.with_door("topic") if e.source.cloudevents_source == name)
        return next(found, None)

    def with_door(self, door: Door) -> Iterator[Entrance]:
        """Those that have this door, the folder's tenant first."""
        return (e for e in self._all().values() if door in e.source.doors)

    def _all(self) -> dict[tuple[str, str], Entrance]:
        companies = self._companies()
        if companies is not self._read:
            ordered = sorted(companies, key=lambda each: (each.tenant != self.home, each.tenant))
            found = (entrance for company in ordered for entrance in self._of(company))
            self._entrances = {(each.tenant, each.source.id): each for each in found}
            self._read = companies
        return self._entrances

    def _of(self, company: Company) -> Iterator[Entrance]:
        tenant, book = company.tenant, company.book
        reception = self.reception(tenant)
        for source in book.sources.source:
            try:
                secrets = secrets_of(source)
            except WrongSetting as missing:
                log.warning("a source lets nobody in", tenant=tenant, why=str(missing))
                secrets = ()
            place = source.id if tenant == self.home else f"{tenant}/{source.id}"
            yield Entrance(tenant, source, secrets, reception, book.language, f"/in/{place}")
