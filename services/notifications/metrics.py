"""What notifications counts beside the runtime's own metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

MESSAGES = Counter(
    "relance_messages_total",
    "Messages by what became of them: sent, failed, suppressed, held, unknown, waiting again, or "
    "overtaken (an attempt that no longer counted).",
    ["channel", "outcome"],
)
UNKNOWN = Counter(
    "relance_messages_unknown_total",
    "Messages nobody can tell of whether they went, by what was done: an upper bound of those "
    "sent twice (sent_again) or missing (assumed_sent).",
    ["channel", "resolution"],
)
ASKED = Counter(
    "relance_messages_asked_total",
    "Unclear hand-overs the provider was asked about, by its answer.",
    ["channel", "answer"],
)
IN_HAND = Gauge("relance_messages_in_hand", "Messages being handed over now.", ["channel"])
