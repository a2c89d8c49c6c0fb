"""How long the stack waits for what it has asked to end, before it kills it.

A service ends by itself, with a sentence, once its own deadline has passed: whoever kills it waits
longer than that, or the sentence is never said. docker-compose.yml's `stop_grace_period` keeps the
same distance.
"""

from contextlib import suppress

from shared.runtime.settings import STOP_DEADLINE_S

SPARE_S = 5.0
"""What a machine that does much else may need from the deadline to the end of the process."""
STOP_LIMIT_S = STOP_DEADLINE_S + SPARE_S
SERVERS_LIMIT_S = 15.0
"""Of Kafka and PostgreSQL, which are stopped after the services."""
STACK_LIMIT_S = STOP_LIMIT_S + SERVERS_LIMIT_S + SPARE_S
"""Of a whole stack."""


def stop_limit_s(deadline: str) -> float:
    """Of a service with that RELANCE_STOP_DEADLINE_S; it refuses one that is no number itself."""
    with suppress(ValueError):
        return float(deadline) + SPARE_S
    return STOP_LIMIT_S
