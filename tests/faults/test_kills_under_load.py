"""Eight kills and a crash of the database under load, and nothing is lost or told twice."""

import asyncio
import sys
from collections import Counter
from time import monotonic

from relance import audit_command
from relance.stack.stack import SERVICES
from tests.faults.fire import Fire, table
from tests.faults.ground import api_keys, burning_stack, expected_messages, judged, seed
from tests.faults.load import Load

KILLS = 8
INPUTS = 200
INPUTS_PER_S = 15.0  # and as many actions


async def test_eight_kills_and_a_crash_of_the_database_lose_nothing_and_tell_nobody_twice() -> None:
    number = seed()
    began = monotonic()
    with burning_stack() as stack:
        started = monotonic()
        load, fire = Load(stack, await api_keys(stack), number), Fire(stack, number)
        out = asyncio.Event()
        sending = asyncio.create_task(load.run(out, at_least=INPUTS, per_s=INPUTS_PER_S))
        recoveries = await fire.rage(kills=KILLS, crashes=1)
        out.set()
        await sending
        burnt = monotonic()
        verdict = await judged(stack, load.books)
        quiet = monotonic()
        expected = await expected_messages(stack, verdict.ledgers)
        told = await audit_command.audited(
            kafka=stack.kafka.bootstrap,
            postgres=f"postgresql://127.0.0.1:{stack.postgres.port}/relance",
            mail_url=stack.mail.url,
            sms_url=stack.services["notifications"].url,
        )
    report = verdict.report
    sys.stdout.write(
        f"\nRELANCE_FAULTS_SEED={number}: {load.inputs} inputs, {load.actions} actions, "
        f"{dict(load.books.tries)}\n{dict(report.counts)}\n{table(recoveries)}\n"
        f"start {started - began:.1f} s, fire {burnt - started:.1f} s, "
        f"quiet and audit {quiet - burnt:.1f} s\n{audit_command.as_text(told)}\n"
    )

    assert report.ok, verdict.first_findings()
    hit = Counter(each.what for each in recoveries)
    assert hit == {**dict.fromkeys(SERVICES, KILLS // len(SERVICES)), "postgres": 1}
    assert verdict.twice_or_missing <= verdict.unknown <= len(fire.in_hand)
    assert told.ok, "the operator's own look says the same"
    assert told.counts["events"] == report.counts["events"]
    assert verdict.ledgers.messages.keys() == expected, "a message for each request and channel"
    assert load.books.tries["again"] > 0, "nobody noticed the fire"
    assert {lead.owner for lead in verdict.ledgers.leads.values()} <= {"anna", "boris", "boss"}
