"""What intake counts beside the runtime's own metrics."""

from __future__ import annotations

from prometheus_client import Counter

INPUTS = Counter(
    "relance_inputs_total",
    "Inputs recorded, by door and by what they are: received (somebody got in touch), noted (a "
    "call that goes on, or one of ours), ignored (no lead: a bounce) or set_aside (could not be "
    "read; a dead letter).",
    ["door", "outcome"],
)
