"""The reminders service: it knows when, and nothing of leads."""

from __future__ import annotations

from pathlib import Path

from services.reminders.alarm import Alarm
from services.reminders.handlers import pipeline_events
from services.reminders.replanning import Replanning
from services.reminders.settings import RemindersSettings
from shared.runtime.batch import Outcome
from shared.runtime.service import Service


class Reminders(Service):
    """The service, with its alarm."""

    def __init__(self, settings: RemindersSettings) -> None:
        """Wire deadlines, digests and the alarm."""
        super().__init__("reminders", settings, migrations=Path(__file__).parent / "migrations")
        self.alarm = Alarm(self, settings)
        self.subscriptions.append(pipeline_events(self))
        replanning = Replanning(self)
        self.loops += [self.alarm.run, self.alarm.poll, replanning.run]
        self.next_instants.append(self.alarm.next_instant)
        self.quiet_checks += [self.alarm.planning, replanning.busy]

    def committed(self, outcome: Outcome) -> None:
        """What was armed is in the database: the alarm may have to ring sooner."""
        super().committed(outcome)
        if outcome.emitted:
            self.alarm.wake.set()


def create(settings: RemindersSettings) -> Service:
    """The service of these settings; raises `WrongSetting` and `RulebookError`."""
    return Reminders(settings)
