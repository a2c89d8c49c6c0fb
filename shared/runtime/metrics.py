"""Every metric of the runtime: declared once, with its meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# A second series for each, which nobody asked for. The library has no types for this one.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

EVENTS = Counter(
    "relance_events_total",
    "Events taken from a topic, by what became of them: "
    "handled, ignored, repeated, parked or quarantined.",
    ["topic", "outcome"],
)
BATCH_SECONDS = Histogram(
    "relance_batch_seconds",
    "From a batch in hand to its committed transaction.",
    ["topic"],
    buckets=_SECONDS,
)
BAD_LUCK = Counter(
    "relance_bad_luck_total", "Transactions tried again for no fault of theirs.", ["kind"]
)
LAG = Gauge(
    "relance_consumer_lag",
    "Records on the topic that are not taken up yet.",
    ["topic", "partition"],
)
OUTBOX_PUBLISHED = Counter(
    "relance_outbox_published_total", "Outbox rows that Kafka has acknowledged.", ["topic"]
)
OUTBOX_DEPTH = Gauge("relance_outbox_depth", "Rows found by the relay's latest look, up to 500.")
OUTBOX_STUCK_SUBJECTS = Gauge(
    "relance_outbox_stuck_subjects",
    "Subjects with a row that Kafka refuses for good; told by the member that publishes.",
)
RELAY_ELECTED = Gauge("relance_relay_elected", "1 on the member that publishes for the service.")
PARKED = Gauge("relance_parked", "Events that wait for something.")
PARKED_OLDEST_SECONDS = Gauge(
    "relance_parked_oldest_seconds", "How long the oldest of them waits; alarm after 60."
)
GATE_BEHIND_SECONDS = Gauge(
    "relance_gate_behind_seconds",
    "How far behind the clock what came in has been judged; what is due waits for it.",
)
GATE_WAITING = Gauge("relance_gate_waiting", "Batches of what is due that wait right now.")
CLOCK_DISTANCE_SECONDS = Gauge(
    "relance_clock_distance_seconds", "This machine's clock less the database's."
)
CONFIRMED_SEND_SECONDS = Histogram(
    "relance_confirmed_send_seconds",
    "From a send to Kafka's acknowledgement (intake).",
    ["topic"],
    buckets=_SECONDS,
)
CONFIRMED_SEND_FAILURES = Counter(
    "relance_confirmed_send_failures_total", "Sends that Kafka did not acknowledge in time."
)
