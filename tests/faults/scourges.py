"""What the whole system goes through in `make faults`, in order."""

from __future__ import annotations

import os

from relance.stack.stack import SERVICES
from tests.faults.scourge import Scourge
from tests.faults.whole_faults import (
    clocks_jump,
    dies_at,
    kafka_frozen,
    kafka_killed,
    movable_clocks,
    rolling_restart,
    service_frozen,
)

INPUTS = 60
INPUTS_PER_S = 12.0  # and as many actions
MISHAPS = 8


def kills() -> int:
    """RELANCE_FAULTS_KILLS: at random, over all services."""
    return int(os.environ.get("RELANCE_FAULTS_KILLS") or 80)


def scourges(kills: int) -> list[Scourge]:
    """The more a row tells, the earlier it comes."""
    return [
        Scourge("kill -9 at random, all services", kills=kills, services=SERVICES),
        Scourge("PostgreSQL crash and restart", crashes=10),
        Scourge("SIGTERM, one service after the other", hit=rolling_restart, hits=2),
        *(
            Scourge(
                f"kill -9 of {service} at {place}",
                hit=dies_at(service, place),
                hits=3,
            )
            for service, place in (
                ("intake", "doors.acknowledged"),
                ("notifications", "message.claimed"),
                ("notifications", "message.handed_over"),
            )
        ),
        Scourge("Kafka kill -9 and restart", hit=kafka_killed, hits=2),
        Scourge("Kafka frozen 30 s", hit=kafka_frozen(30.0), hits=1),
        Scourge("a service frozen 30 s, SIGCONT", hit=service_frozen(30.0), hits=2),
        Scourge("clocks of all workers jump ±30 s", hit=clocks_jump, hits=2, around=movable_clocks),
        Scourge("SMS provider: 503", sms={"fail": 1}, mishaps=MISHAPS),
        Scourge("SMS provider: taken, answer lost", sms={"drop": 1}, mishaps=MISHAPS),
        Scourge("mail server: 451", mail={"reply": "451"}, mishaps=MISHAPS),
        Scourge("mail server: cut off, kept", mail=_cut_off(keep=True), mishaps=MISHAPS),
        Scourge("mail server: cut off, not kept", mail=_cut_off(keep=False), mishaps=MISHAPS),
        Scourge(
            "all at once",
            kills=20,
            crashes=2,
            sms={"fail": 1, "drop": 1},
            mail=_cut_off(keep=True),
            mishaps=MISHAPS,
        ),
    ]


def _cut_off(*, keep: bool) -> dict[str, object]:
    return {"drop_after_data": True, "keep": keep}
