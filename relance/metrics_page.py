"""docs/metrics.md: every metric with its meaning, from where it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

PAGE = Path(__file__).parent.parent / "docs" / "metrics.md"
DECLARED = {
    "every service": "shared.runtime.metrics",
    "intake": "services.intake.metrics",
    "reminders": "services.reminders.metrics",
    "notifications": "services.notifications.metrics",
}
"""Who has them, and the module that declares them."""

_SERIES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def declared() -> Iterator[tuple[str, MetricWrapperBase]]:
    """(who has it, the metric), in the order of their declaration."""
    for who, module in DECLARED.items():
        for metric in vars(import_module(module)).values():
            if isinstance(metric, MetricWrapperBase):
                yield who, metric


def name_of(metric: MetricWrapperBase) -> str:
    """As Prometheus knows it: counters end in `_total`."""
    suffix = "_total" if metric._type == "counter" else ""
    return f"{metric._name}{suffix}"


def series() -> set[str]:
    """Every name that a query may use."""
    return {name_of(metric) + end for _, metric in declared() for end in _SERIES[str(metric._type)]}


def page() -> str:
    """The page."""
    rows = [
        f"| `{name_of(m)}` | {m._type} | {', '.join(m._labelnames) or '–'} | {who} "
        f"| {m._documentation} |"
        for who, m in declared()
    ]
    head = "| metric | type | labels | of | meaning |\n|---|---|---|---|---|"
    return "\n".join(
        [
            "# Metrics",
            "",
            "Written by `relance docs` from where each is declared; every service serves its own "
            "at `/metrics`.",
            "Alerts on them: [`deploy/prometheus/alerts.yml`](../deploy/prometheus/alerts.yml); "
            "what to do then: [runbook.md](runbook.md).",
            "",
            head,
            *rows,
            "",
        ]
    )
