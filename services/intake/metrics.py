"""What intake counts beside the runtime's own metrics."""

from __future__ import annotations

from prometheus_client import Counter

INPUTS = Counter(
    "relance_inputs_total",
    "Inputs recorded, by door and by what they are: received (somebody got in touch), ignored (no "
    "lead: a bounce, a ringing call) or set_aside (could not be read; a dead letter).",
    ["door", "outcome"],
)
