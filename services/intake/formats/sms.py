"""One SMS that somebody wrote to us, in the generic JSON that any provider can be made to send."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.intake.core.arrival import Arrival, Typed
from services.intake.formats.call import refusal
from services.intake.formats.json_body import read_object
from services.intake.formats.payload import Payload


class SmsPayload(BaseModel):
    """What the provider says of one inbound SMS. Unknown fields are ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        coerce_numbers_to_str=True,
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "message_id": "s-20260302-0017",
                    "from": "+33 6 12 34 56 78",
                    "to": "+33 7 00 00 00 00",
                    "text": "STOP",
                    "received_at": "2026-03-02T10:00:05+01:00",
                }
            ]
        },
    )

    message_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The SMS's id in your system; the same one sent again has no further effect."
    )
    from_: Annotated[str, StringConstraints(max_length=100)] = Field(
        alias="from", description="Who wrote, as displayed or in E.164."
    )
    to: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="The number that was written to."
    )
    text: str = Field(default="", description="All parts of it. STOP alone is an opt-out.")
    received_at: AwareDatetime | None = Field(default=None, description="With its UTC offset.")


def read(payload: Payload) -> Arrival:
    """Whoever wrote it, and what. Raises `Refusal`."""
    try:
        sms = SmsPayload.model_validate(read_object(payload.body))
    except ValidationError as error:
        raise refusal(error) from None
    return Arrival(
        provider_id=sms.message_id,
        phones=(Typed(field="from", text=sms.from_),),
        text=sms.text or None,
        occurred_at=sms.received_at,
    )
