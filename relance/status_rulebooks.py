"""What `relance status` says of rulebooks: who goes by which, and what could not be taken up.

Somebody who published one is told at once what is wrong with it; this is for whoever comes later: a
service of another release that cannot use it, or one that has not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from shared.contract.topics import DIRECTORY
from shared.runtime.postgres import Transaction

# What was set aside counts until something later of that tenant was taken up.
_REFUSED = """
SELECT DISTINCT ON (tenant) tenant, version, why
FROM (
  SELECT split_part(subject, '/', 1) AS tenant, split_part(subject, '/', 3) AS version, why, record
  FROM quarantine
  WHERE topic = $1 AND split_part(subject, '/', 2) = 'rulebook'
) AS q
WHERE record > coalesce(
  (SELECT max(d.record) FROM directory d WHERE d.kind = 'rulebook' AND d.tenant = q.tenant), -1)
ORDER BY tenant, record DESC
"""
_PUBLISHED = """
SELECT DISTINCT ON (tenant) tenant, id FROM directory WHERE kind = 'rulebook'
ORDER BY tenant, record DESC
"""
NONE = "none"


@dataclass(frozen=True, slots=True)
class Rulebooks:
    """Of one service, by tenant: the version it goes by, the last one published that it has stored,
    and what it has set aside since (the version, and why). `in_force` is None if it did not say."""

    in_force: Mapping[str, str] | None = None
    published: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)


async def stored(tx: Transaction) -> dict[str, Any]:
    """What the tables of a service say: `published` and `refused`."""
    published = await tx.fetch(_PUBLISHED)
    refused = await tx.fetch(_REFUSED, DIRECTORY.name)
    return {
        "published": {row["tenant"]: row["id"] for row in published},
        "refused": {row["tenant"]: (row["version"], row["why"]) for row in refused},
    }


def lines(of_service: Mapping[str, Rulebooks], width: int, indent: int) -> Iterator[str]:
    """One line with what is in force, and one with `!` for each thing that is wrong."""
    told = {name: each for name, each in of_service.items() if each.in_force is not None}
    tenants = sorted({tenant for each in told.values() for tenant in each.in_force or {}})
    tenants = sorted({*tenants, *(t for each in of_service.values() for t in each.refused)})
    if not tenants:
        return
    versions = {tenant: _by_version(tenant, told) for tenant in tenants}
    agreed = [f"{tenant} {next(iter(by))}" for tenant, by in versions.items() if len(by) == 1]
    if agreed:
        yield from _line(" ", ", ".join(agreed), width, indent)
    for tenant, by in versions.items():
        yield from (
            line
            for wrong in _wrong(tenant, by, of_service)
            for line in _line("!", f"{tenant} {wrong}", width, indent)
        )


def _wrong(
    tenant: str, by: Mapping[str, Sequence[str]], of_service: Mapping[str, Rulebooks]
) -> Iterator[str]:
    if len(by) > 1:
        yield "; ".join(f"{', '.join(names)} by {version}" for version, names in by.items())
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, each in of_service.items():
        if tenant in each.refused:
            reasons.setdefault(each.refused[tenant], []).append(name)
    for (version, why), names in reasons.items():
        yield f"{version} was published and set aside by {', '.join(names)}: {why}"
    behind: dict[str, list[str]] = {}
    for name, each in of_service.items():
        last = each.published.get(tenant)
        if last is not None and each.in_force is not None and each.in_force.get(tenant) != last:
            behind.setdefault(last, []).append(name)
    for version, names in behind.items():
        yield f"{version} is published and cannot be used by {', '.join(names)} of this release"


def _by_version(tenant: str, told: Mapping[str, Rulebooks]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, each in told.items():
        found.setdefault((each.in_force or {}).get(tenant, NONE), []).append(name)
    return found


def _line(mark: str, text: str, width: int, indent: int) -> list[str]:
    head = f"{mark} {'rulebook':<{indent - 2}}"
    return wrap(text, width, initial_indent=head, subsequent_indent=" " * indent)
