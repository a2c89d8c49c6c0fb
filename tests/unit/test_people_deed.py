"""What somebody does to get an action through: on request, without calls that nobody made."""

from __future__ import annotations

from relance.check.moves import beginnings
from relance.cli_rulebook import RULEBOOKS
from relance.people.deed import accomplish
from relance.people.stand import House, Stand, working_morning
from relance.simulation.company import read_company
from services.pipeline.core.lead import Lead


def a_lead() -> tuple[Stand, Lead]:
    company = read_company(RULEBOOKS / "axelerator")
    stand = Stand(House.of(company), "deed", working_morning(company.directory))
    form = next(move for move in beginnings(stand) if "phone and email" in move.words)
    assert form.do(stand)
    return stand, stand.leads[0]


def closes(stand: Stand, lead: Lead, reason: str, *, may_invent: bool) -> bool:
    close: dict[str, object] = {"act": "close", "status": "lost", "reason": reason}
    return accomplish(stand, lead.id, close, "anna", may_wait=False, may_invent=may_invent)


def test_attempts_that_a_close_asks_for_are_only_noted_where_that_is_allowed() -> None:
    stand, lead = a_lead()

    assert not closes(stand, lead, "no_answer", may_invent=False)
    assert stand.lead(lead.id).attempts == ()
    assert closes(stand, lead, "no_answer", may_invent=True)
    assert len(stand.lead(lead.id).attempts) == 4


def test_evidence_that_a_close_asks_for_is_brought_in_all_the_same() -> None:
    stand, lead = a_lead()

    assert closes(stand, lead, "refused", may_invent=False)
    assert [each.kind for each in stand.lead(lead.id).documents] == ["call_recording"]


def test_a_digest_is_for_the_owner_of_a_lead_and_for_whoever_leads_their_team() -> None:
    stand, lead = a_lead()

    told = [agent for agent, _ in stand.digests(stand.now)]

    assert set(told) == {lead.owner, "boss"}
