"""Leads are taken up one by one: the action is one lead's, and there is no other."""

from __future__ import annotations

from services.pipeline.core.action import Acknowledge
from shared.contract.pipeline import LeadAcknowledged
from tests.unit.pipeline_desk import IVAN, IVAN_MAIL, Desk


def test_an_agent_takes_leads_up_one_at_a_time() -> None:
    desk = Desk()
    first, second = desk.receive(IVAN), desk.receive(IVAN_MAIL, channel="form")

    desk.act(first, "acknowledge")

    assert desk.one(LeadAcknowledged).by == "anna"
    assert [e.subject for e in desk.events if isinstance(e.data, LeadAcknowledged)] == [first.id]
    assert desk.lead(first).acknowledged_by == "anna"
    assert desk.lead(second).acknowledged_at is None
    # Nothing in the action could name a second lead, and the API takes one in its path.
    assert set(Acknowledge.model_fields) == {"act", "note", "outcome"}


def test_a_lead_is_taken_up_once_and_anew_by_the_next_owner() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "assign", to="anna", by="boss")
    desk.act(lead, "acknowledge")
    desk.act(lead, "acknowledge")
    assert desk.refused() == [("house-00", ("acknowledged",))]

    desk.act(lead, "assign", to="boris", by="boss")
    desk.act(lead, "acknowledge", by="boris")

    assert desk.lead(lead).acknowledged_by == "boris"
