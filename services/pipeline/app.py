"""Pipeline put together: what it reads, serves and does by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from services.pipeline import answer_page, answers
from services.pipeline.absences import Absences
from services.pipeline.api import queue_router_of, router_of
from services.pipeline.handlers import subscriptions
from services.pipeline.settings import PipelineSettings
from shared.contract.envelope import Envelope
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service

MIGRATIONS = Path(__file__).parent / "migrations"
_PRUNE_EVERY_S = 3600.0


def create(settings: PipelineSettings) -> Service:
    """The service; raises one sentence when the rulebook is missing or wrong."""
    service = Service("pipeline", settings, migrations=MIGRATIONS)
    service.subscriptions += subscriptions(service.companies, settings.hashing)
    service.routers += [router_of(service), queue_router_of(service)]
    service.routers.append(answer_page.router_of(service))

    async def forget_answers() -> None:
        """Real time, as the database's: a stepping clock ages no answer."""

        async def forget(tx: Transaction) -> tuple[None, list[Envelope]]:
            await answers.forget(tx, timedelta(days=settings.answers_kept_d))
            return None, []

        while True:
            await service.unit(forget, patience_s=None)
            await asyncio.sleep(_PRUNE_EVERY_S)

    away = Absences(service, settings.hashing)
    service.loops += [forget_answers, away.run]
    service.quiet_checks.append(away.busy)
    return service
