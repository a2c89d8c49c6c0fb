"""Reads the ledgers that the audit compares: topics, three databases, the providers' books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import asyncpg
import httpx2
from pydantic_core import from_json

from relance import database
from relance.promises.evidence import KeptMessage, Ledgers, Waiting
from relance.topic_reader import read_to_end
from services.pipeline import history
from services.pipeline.core.lead import Lead
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS
from shared.runtime.postgres import Transaction

_TOPICS = (INTAKE, PIPELINE, REMINDERS, NOTIFICATIONS)
_SMS_MOST = 100_000
_TIMEOUT_S = 30


async def read_ledgers(
    *,
    kafka: str,
    postgres: str | None = None,
    mail_url: str | None = None,
    sms_url: str | None = None,
    accepted: frozenset[str] | None = None,
    acted: frozenset[str] = frozenset(),
    at: datetime | None = None,
) -> Ledgers:
    """What now lies on the topics, in the databases and at the local providers.

    `postgres` is an address whose user may read all three schemas, or one without a user (each
    schema is then read by its own role); absent, as `relance.database` finds it. `mail_url` and
    `sms_url` are the local mail catcher and SMS sandbox, where they are what messages are handed
    to. The rest is as in `Ledgers`. Raises `NoDatabase`, and what Kafka's client raises.
    """
    async with database.transaction("pipeline", postgres) as tx:
        rows = await tx.fetch("SELECT id::text, state::text FROM lead")
        leads = {row["id"]: Lead.model_validate_json(row["state"]) for row in rows}
        kept = Ledgers(records={}, leads=leads, history=await history.read_all(tx))
    async with database.transaction("reminders", postgres) as tx:
        deadlines = await _deadlines(tx)
    async with database.transaction("notifications", postgres) as tx:
        messages = await _messages(tx)
    waiting, reached = {}, {}
    for service in database.WITH_DATABASE:
        async with database.transaction(service, postgres) as tx:
            waiting[service], reached[service] = await _waiting(tx), await _reached(tx)
    return replace(
        kept,
        records=await read_to_end(kafka, _TOPICS),
        deadlines=deadlines,
        messages=messages,
        waiting=waiting,
        reached=reached,
        accepted=accepted,
        acted=acted,
        delivered=await read_books(mail_url, sms_url),
        at=at,
    )


async def _deadlines(tx: Transaction) -> Mapping[str, datetime]:
    rows = await tx.fetch("SELECT asked ->> 'id' AS id, due_at FROM deadline")
    return {row["id"]: row["due_at"] for row in rows}


async def _messages(tx: Transaction) -> Mapping[str, KeptMessage]:
    rows = await tx.fetch("SELECT id::text, status, send_after FROM message")
    return {row["id"]: KeptMessage(row["status"], row["send_after"]) for row in rows}


async def _reached(tx: Transaction) -> Mapping[tuple[str, str], int]:
    rows = await tx.fetch("SELECT source, subject, last FROM sequence")
    return {(row["source"], row["subject"]): row["last"] for row in rows}


async def _waiting(tx: Transaction) -> Waiting:
    return Waiting(
        outbox=await tx.fetchval("SELECT count(*) FROM outbox"),
        parked=[_held(row) for row in await tx.fetch("SELECT * FROM parked ORDER BY id")],
        set_aside=[_held(row) for row in await tx.fetch("SELECT * FROM quarantine ORDER BY id")],
    )


def _held(row: asyncpg.Record) -> tuple[str, str, str]:
    """The event, its subject, and why it is held."""
    try:
        event = str(from_json(row["value"] or b"")["id"])
    except (ValueError, KeyError, TypeError):
        event = f"{row['topic']}/{row['partition']}/{row['record']}"
    return event, row["subject"] or "", row["why"]


async def read_books(mail_url: str | None, sms_url: str | None) -> Mapping[str, Mapping[str, int]]:
    """How often each notification was handed over: by its Message-ID, by its id at the sandbox."""
    books: dict[str, Mapping[str, int]] = {}
    async with httpx2.AsyncClient(timeout=_TIMEOUT_S) as http:
        if mail_url:
            mails = (await http.get(f"{mail_url}/api/messages")).raise_for_status().json()
            books["email"] = Counter(_message_id(dict(mail["headers"])) for mail in mails)
        if sms_url:
            url = f"{sms_url}/sandbox/messages?limit={_SMS_MOST}"
            texts = (await http.get(url)).raise_for_status().json()
            for channel in ("sms", "chat"):
                books[channel] = {
                    str(text["id"]): int(text["times"])
                    for text in texts
                    if text["channel"] == channel
                }
    return books


def _message_id(headers: Mapping[str, str]) -> str:
    named = {name.lower(): value for name, value in headers.items()}
    return named.get("message-id", "").strip("<> \r\n").partition("@")[0]
