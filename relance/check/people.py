"""Whom a rulebook names must be somebody: in the example company as in the real one."""

from __future__ import annotations

from collections.abc import Iterator

from relance.check.finding import Finding
from relance.simulation.company import Company
from shared.domain.directory import Directory
from shared.domain.rulebook.reference import parties

OF_THE_SITE = "site"
"""`team:site`: whoever is in a team at the lead's site."""


def nobody(company: Company) -> Iterator[Finding]:
    """Roles that nobody has, teams and agents that are not there; sites set as they cannot be."""
    for party in dict.fromkeys(parties(company.book)):
        if why := _missing(party, company.directory):
            yield Finding("nobody", party, f"{why}: directory.toml or the rulebook is wrong")
    for site in company.directory.sites:
        for problem in company.book.setting_problems(site.settings):
            yield Finding("file", f"site {site.id}", f"directory.toml: {problem}")


def _missing(party: str, directory: Directory) -> str | None:
    prefix, _, name = party.rpartition(":")
    teams = {agent.team for agent in directory.agents if agent.team is not None}
    match prefix:
        case "role" if not directory.with_role(name):
            known = sorted({role for agent in directory.agents for role in agent.roles})
            return f"nobody has the role {name}; there is {', '.join(known) or 'none'}"
        case "team" | "next_of team" if name != OF_THE_SITE and name not in teams:
            return f"nobody is in a team {name}; there is {', '.join(sorted(teams)) or 'none'}"
        case "agent" if name not in {agent.id for agent in directory.agents}:
            return f"there is no agent {name}"
    return None
