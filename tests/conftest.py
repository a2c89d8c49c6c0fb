"""What every test may ask for, and the rule that CI skips nothing in silence."""

import os
from collections.abc import Generator

import pytest

from relance.stack.error import StackError
from tests.elsewhere import chosen, take_outside_addresses
from tests.stack import (
    database,
    home,
    kafka,
    kafka_elsewhere,
    names,
    own_kafka,
    postgres,
    stack,
)

__all__ = [
    "database",
    "home",
    "kafka",
    "kafka_elsewhere",
    "names",
    "own_kafka",
    "postgres",
    "stack",
]

_ALLOWED_SKIP = "docker"


class NoSilentSkips:
    """Fail a CI session that skipped a test for any reason but a missing Docker."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(item.nodeid, report.longrepr)
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report.nodeid, report.longrepr)

    def _note(self, where: str, why: object) -> None:
        reason = str(why[2] if isinstance(why, tuple) else why)
        if _ALLOWED_SKIP not in reason.lower():
            self.skipped.append(f"{where}: {reason}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.section("skipped although CI must run everything", red=True)
            for line in self.skipped:
                terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    try:
        if chosen() == "external":
            take_outside_addresses()
    except StackError as error:
        raise pytest.UsageError(str(error)) from None
    if os.environ.get("RELANCE_CI"):
        config.pluginmanager.register(NoSilentSkips())
