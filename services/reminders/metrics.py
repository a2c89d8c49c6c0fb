"""What reminders measures beside the runtime's own metrics."""

from __future__ import annotations

from prometheus_client import Histogram

ALARM_LATE_SECONDS = Histogram(
    "relance_alarm_late_seconds",
    "From the instant a deadline is due to the transaction that says so.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600),
)
