"""What pipeline asks its siblings to tell, and whom."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, JsonValue
from pydantic_core import CoreSchema, core_schema

from shared.contract.envelope import Event, Value
from shared.contract.intake import ContactPoint
from shared.contract.invitation import Invitation
from shared.contract.notifications import MessageChannel


class _Known:
    """Neither checked nor looked up in a table of types when it is written: pydantic sees what it
    is."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()


Json = Annotated[JsonValue, _Known]
"""What a template speaks of. It is made by us or was read from JSON, so it is JSON: looking through
all of it once more took longer than everything else that an event is checked for, and writing it
by its type as long as writing all six events of a new lead."""


class Recipient(Value):
    """An agent (address from the directory copy), the contact (addresses travel here), or another
    system (`target`; its address is in the rulebook)."""

    kind: Literal["agent", "contact", "target"]
    id: str
    points: tuple[ContactPoint, ...] = ()
    zone: str | None = None
    language: str | None = None


class NotificationRequested(Event):
    """pipeline asks that a person be told; notifications decides how and whether.

    Subject: the lead id; for a digest `tenant/agent`. `occasion` is what makes two messages the
    same message. `values` are the template's variables; with `collect` the requests of one
    occasion become one message, which speaks of them all. `attach` names files of the rulebook,
    `appointment` is the id of the one that it is about; `invitation` goes along with an e-mail.
    """

    type = "relance.notification.requested.v1"
    to: Recipient
    template: str
    occasion: str
    site: str
    lead: str | None = None
    values: dict[str, Json] = {}
    collect: bool = False
    attach: tuple[str, ...] = ()
    appointment: str | None = None
    invitation: Invitation | None = None


class NotificationWithdrawn(Event):
    """What is not sent yet of this lead shall not be; absent fields match everything.

    `to` is an agent id, or `contact` for the person outside, whoever they were taken for.
    """

    type = "relance.notification.withdrawn.v1"
    lead: str
    to: str | None = None
    template: str | None = None
    channel: MessageChannel | None = None
    appointment: str | None = None
    why: str


class HandoffRequested(Event):
    """pipeline asks that another system, the rulebook's `target`, be told of the lead.

    `values` is the lead as it was then; `occasion` what makes two hand-offs the same one;
    `appointment` the id of the one it is about.
    """

    type = "relance.handoff.requested.v1"
    target: str
    occasion: str
    site: str
    values: dict[str, Json] = {}
    appointment: str | None = None
    by: str | None = None
