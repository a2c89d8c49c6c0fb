"""`make clean`: stop what this checkout left running and forget its data."""

import sys

from relance.stack.error import StackError
from relance.stack.home import Home
from relance.stack.lock import stop_holder


def clean(home: Home) -> None:
    """Stop the stack that runs in `home`, if any, and remove all it wrote."""
    stop_holder(home)
    home.remove()


if __name__ == "__main__":
    try:
        clean(Home.of_checkout())
    except StackError as error:
        sys.exit(f"relance: {error}")
