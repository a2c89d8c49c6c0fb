"""One call, in the generic JSON that any telephony can be made to send."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.intake.core.arrival import Arrival, CallNews, Refusal, Typed
from services.intake.formats.json_body import read_object
from services.intake.formats.payload import Payload
from shared.contract.intake import CallFacts

Status = Literal["ringing", "in_progress", "answered", "missed", "busy", "abandoned", "voicemail"]
Number = Annotated[str, StringConstraints(max_length=100)]

_GOING_ON: frozenset[Status] = frozenset({"ringing", "in_progress"})
_UNREACHED: frozenset[Status] = frozenset({"missed", "busy", "abandoned", "voicemail"})


class CallPayload(BaseModel):
    """What the phone system says of one call. Unknown fields are ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        coerce_numbers_to_str=True,
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "call_id": "c-20260302-0017",
                    "direction": "inbound",
                    "from": "+375 29 123-45-67",
                    "to": "+375 17 200-00-00",
                    "status": "missed",
                    "started_at": "2026-03-02T10:00:05+03:00",
                    "ended_at": "2026-03-02T10:00:31+03:00",
                }
            ]
        },
    )

    call_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The call's id in your system; the same call sent again has no further effect."
    )
    direction: Literal["inbound", "outbound"] = "inbound"
    from_: Number | None = Field(
        default=None, alias="from", description="Who calls, as displayed or in E.164."
    )
    to: Number | None = Field(default=None, description="The number that was dialled.")
    status: Status = Field(
        description="How it went. busy, abandoned and voicemail count as missed; ringing and "
        "in_progress (somebody has taken it) make no lead, and tell whoever takes it whose it is."
    )
    started_at: AwareDatetime | None = Field(default=None, description="With its UTC offset.")
    ended_at: AwareDatetime | None = Field(default=None, description="With its UTC offset.")
    agent: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None,
        description="The id of the agent who is on the line, as in the directory.",
    )
    duration_s: int | None = Field(default=None, ge=0, le=7 * 24 * 3600, description="Seconds.")
    recording_url: Annotated[str, StringConstraints(max_length=2000)] | None = None


def read(payload: Payload) -> Arrival:
    """A missed or an answered inbound call is somebody who got in touch; one that goes on, and
    one of ours that is over, is news. Raises `Refusal`."""
    try:
        call = CallPayload.model_validate(read_object(payload.body))
    except ValidationError as error:
        raise refusal(error) from None
    if call.direction == "outbound" or call.status in _GOING_ON:
        return _news(call)
    return Arrival(
        provider_id=call.call_id,
        phones=(Typed(field="from", text=call.from_),) if call.from_ else (),
        occurred_at=call.started_at or call.ended_at,
        call=CallFacts(
            direction="inbound",
            outcome="missed" if call.status in _UNREACHED else "answered",
            dialled=call.to,
            answered_by=call.agent or None,
            duration_s=call.duration_s,
            recording_url=call.recording_url,
        ),
    )


def _news(call: CallPayload) -> Arrival:
    """Each phase of a call is news of its own; the contact is whoever is not us."""
    theirs = call.from_ if call.direction == "inbound" else call.to
    field = "from" if call.direction == "inbound" else "to"
    goes_on = call.status in _GOING_ON
    return Arrival(
        provider_id=f"{call.call_id}:{call.status}" if goes_on else call.call_id,
        phones=(Typed(field=field, text=theirs),) if theirs else (),
        occurred_at=call.started_at or call.ended_at,
        news=CallNews(
            call=call.call_id,
            phase="started" if goes_on else "ended",
            direction=call.direction,
            outcome=None if goes_on else "missed" if call.status in _UNREACHED else "answered",
            dialled=call.to,
            agent=call.agent or None,
            duration_s=call.duration_s,
            recording_url=call.recording_url,
        ),
    )


def refusal(error: ValidationError) -> Refusal:
    """Which field is wrong, and how."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return Refusal(f"field {field!r}: {first['msg']}", field)
