"""`make clean`: stop what this checkout left running and forget its data."""

import sys

from relance.stack.error import StackError
from relance.stack.home import Home
from relance.stack.lock import stop_holder


def clean(home: Home) -> None:
    """Stop what runs in `home`, and in homes inside it (the demo's), and remove all they wrote."""
    for one in [*(Home(lock.parent) for lock in home.folder.glob("*/lock")), home]:
        stop_holder(one)
        one.remove()


if __name__ == "__main__":
    try:
        clean(Home.of_checkout())
    except StackError as error:
        sys.exit(f"relance: {error}")
