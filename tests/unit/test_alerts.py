"""Alerts come when they should, speak of metrics that exist, and have a page in the runbook."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from relance.cli import app
from relance.metrics_page import PAGE, page, series

PROJECT = Path(__file__).parents[2]
PROMETHEUS = PROJECT / "deploy" / "prometheus"
RULES = (PROMETHEUS / "alerts.yml").read_text()
RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text()
ALERTS = re.findall(r"- alert: (\w+)", RULES)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian: prometheus)")
def test_every_alert_comes_when_it_should_and_not_before() -> None:
    checked = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"],
        cwd=PROMETHEUS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_has_a_test_of_its_own() -> None:
    tests = (PROMETHEUS / "alerts_test.yml").read_text()
    assert sorted(re.findall(r"  - name: (\w+)", tests)) == sorted(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_page_that_says_what_people_feel_and_what_to_do(alert: str) -> None:
    (text,) = re.findall(rf"^## {alert}$(.*?)(?=^## |\Z)", RUNBOOK, re.M | re.S)
    for asked in ("*People feel*", "*Look*", "*Do*", "*Wake*"):
        assert asked in text
    assert f"docs/runbook.md#{alert.lower()}" in RULES


def test_alerts_and_dashboard_speak_only_of_metrics_that_are_declared() -> None:
    dashboard = json.loads((PROJECT / "deploy" / "grafana" / "relance.json").read_text())
    queries = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    used = set(
        re.findall(r"relance_[a-z_]+", " ".join([*queries, *re.findall("expr: (.*)", RULES)]))
    )
    assert used - series() == set()
    assert len(used) > 15


def test_the_page_of_metrics_is_the_one_the_code_writes() -> None:
    assert PAGE.read_text() == page()


def test_every_command_that_the_runbook_names_is_there() -> None:
    groups = {group.name for group in app.registered_groups}
    alone = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    named = re.findall(r"`relance ([a-z-]+)(?: ([a-z]+))?", RUNBOOK)
    assert {first for first, _ in named} - groups - alone == set()
    for group in app.registered_groups:
        assert group.typer_instance is not None
        known = {command.name for command in group.typer_instance.registered_commands}
        assert {second for first, second in named if first == group.name and second} <= known
