"""Reads the ledgers that the audit compares: topics, pipeline's database, the providers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import asyncpg
import httpx2

from relance.audit import Ledgers
from relance.topic_reader import read_to_end
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS

_TOPICS = (INTAKE, PIPELINE, REMINDERS, NOTIFICATIONS)


async def read_ledgers(
    *,
    kafka: str,
    postgres: str,
    accepted: frozenset[str] | None = None,
    mail_url: str | None = None,
    sms_url: str | None = None,
) -> Ledgers:
    """What now lies on the topics, in pipeline's database and at the local providers.

    `postgres` is a DSN that may read pipeline's schema; `mail_url` and `sms_url` are the local
    mail catcher and SMS sandbox, where they are what messages are handed to.
    """
    leads = await _lead_ids(postgres)
    records = await read_to_end(kafka, _TOPICS)
    delivered = None
    if mail_url and sms_url:
        delivered = await _delivered(mail_url, sms_url)
    return Ledgers(records=records, leads=leads, accepted=accepted, delivered=delivered)


async def _lead_ids(postgres: str) -> frozenset[str]:
    connection = await asyncpg.connect(postgres)
    try:
        return frozenset(
            str(row["id"]) for row in await connection.fetch("select id from pipeline.lead")
        )
    finally:
        await connection.close()


async def _delivered(mail_url: str, sms_url: str) -> Mapping[str, int]:
    """How often each notification was handed over, by its id in the Message-ID or the request."""
    async with httpx2.AsyncClient(timeout=10) as http:
        mails = (await http.get(f"{mail_url}/api/messages")).raise_for_status().json()
        texts = (await http.get(f"{sms_url}/sandbox/messages")).raise_for_status().json()
    handed: Counter[str] = Counter()
    for mail in mails:
        headers = {str(name).lower(): value for name, value in dict(mail["headers"]).items()}
        handed[str(headers.get("message-id", "")).strip("<>").partition("@")[0]] += 1
    for text in texts:
        handed[str(text["id"])] += int(text.get("times", 1))
    return handed
