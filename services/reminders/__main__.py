"""`python -m services.reminders`."""

from services.reminders.app import create
from services.reminders.settings import RemindersSettings
from shared.runtime.service import run

run(create, RemindersSettings)
