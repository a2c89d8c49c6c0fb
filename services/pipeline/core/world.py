"""What pipeline knows: contacts, who a contact point belongs to, leads, mail threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.order import oldest_first, place
from shared.contract.intake import ContactPoint

PointKey = tuple[str, str]


def point_key(point: ContactPoint) -> PointKey:
    """How a contact point is looked up: (kind, value)."""
    return (point.kind, point.value)


@dataclass(frozen=True, slots=True)
class World:
    """One tenant's contacts and leads: all of them, or those the shell has locked.

    The mappings are replaced, never changed in place. `threads`: mail id → lead id, the newest
    one's where several leads have that mail. `objections`:
    a point that was an erased person's → what they had forbidden, channel → rule.
    """

    contacts: Mapping[str, Contact] = field(default_factory=dict)
    points: Mapping[PointKey, str] = field(default_factory=dict)
    leads: Mapping[str, Lead] = field(default_factory=dict)
    threads: Mapping[str, str] = field(default_factory=dict)
    objections: Mapping[PointKey, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        contacts: Iterable[Contact] = (),
        leads: Iterable[Lead] = (),
        objections: Mapping[PointKey, Mapping[str, str]] | None = None,
    ) -> World:
        """The world that holds these; points and threads follow from them."""
        people = {contact.id: contact for contact in contacts}
        known = {lead.id: lead for lead in oldest_first(leads)}
        return cls(
            contacts=people,
            points={(p.kind, p.value): c.id for c in people.values() for p in c.points},
            leads=known,
            threads={mail: lead.id for lead in known.values() for mail in lead.mail_ids},
            objections=objections or {},
        )


def with_mails_of(
    threads: Mapping[str, str], leads: Mapping[str, Lead], lead: Lead
) -> Mapping[str, str]:
    """The threads once this lead has its mails; those that a newer lead has, too, stay there."""
    holders = ((mail, leads.get(threads.get(mail, ""))) for mail in lead.mail_ids)
    mine = (mail for mail, other in holders if other is None or place(other) <= place(lead))
    return {**threads, **dict.fromkeys(mine, lead.id)}


def beside(world: World, others: Iterable[Lead]) -> World:
    """The world with more leads to look at, which are not locked and must not change."""
    more = {lead.id: lead for lead in others if lead.id not in world.leads}
    return replace(world, leads={**world.leads, **more}) if more else world


class UnknownLead(LookupError):
    """An input names a lead that is not in the world (yet); the shell lets it wait."""

    def __init__(self, lead: str) -> None:
        super().__init__(f"lead {lead} is not known to pipeline")
        self.lead = lead
