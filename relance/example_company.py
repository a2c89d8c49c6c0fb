"""The company that `relance up` opens for a first try, in a stack that knows none yet."""

from datetime import time
from pathlib import Path
from typing import get_args

import httpx2

from relance import directory
from shared.contract.directory import Calendar, Interval, Weekday

_TIMEOUT_S = 20
_ALL_DAY = (Interval(opens=time(0), closes=time(0)),)  # over midnight: 24 hours


def open_example(rulebook: Path, intake_url: str, admin_key: str) -> bool:
    """Apply the rulebook's example directory if there is none; say whether that was done.

    Its calendars are open day and night: a person who tries something on a Sunday sees what
    happens now, not on Monday. Raise `directory.DirectoryError`.
    """
    headers = {"authorization": f"Bearer {admin_key}"}
    with httpx2.Client(base_url=intake_url, timeout=_TIMEOUT_S, headers=headers) as intake:
        if any(directory.asked(intake, "GET", "/directory").values()):
            return False
        file = rulebook / "directory.toml"
        directory.apply(file, intake_url, admin_key)
        for document in directory.read(file):
            if isinstance(document, Calendar):
                always = document.model_copy(
                    update={"weekly": dict.fromkeys(get_args(Weekday), _ALL_DAY)}
                )
                body = always.model_dump(mode="json", exclude={"because"})
                directory.asked(intake, "PUT", f"/directory/calendar/{always.id}", body)
    return True
