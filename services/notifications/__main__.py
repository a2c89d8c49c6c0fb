"""`python -m services.notifications`."""

from __future__ import annotations

from services.notifications.app import create
from services.notifications.settings import NotificationsSettings
from shared.runtime.service import run

if __name__ == "__main__":
    run(create, NotificationsSettings)
