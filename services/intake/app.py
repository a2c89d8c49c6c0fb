"""intake, put together: what it needs, and which door gets what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from services.intake.core.bucket import Buckets
from services.intake.doors.directory import DirectoryDoor
from services.intake.doors.file import FileDoor
from services.intake.doors.http import HttpDoor
from services.intake.doors.smtp import SmtpDoor
from services.intake.doors.topic import TopicDoor
from services.intake.formats.mail_process import MailReaders
from services.intake.houses import DirectoryOf, Houses
from services.intake.reception import Reception
from services.intake.settings import IntakeSettings, secrets_of
from shared.contract import topics
from shared.runtime.companies import Companies
from shared.runtime.service import Service
from shared.runtime.settings import WrongSetting
from shared.runtime.subscription import RawSubscription

log = structlog.get_logger(__name__)

INBOUND = (topics.INBOUND_CALLS, topics.INBOUND_FORMS, topics.INBOUND_EMAILS)


class Intake(Service):
    """The service, with what is asked of it from outside.

    `smtp` tells its port, which may be a free one; `buckets` can be made larger while it runs.
    """

    smtp: SmtpDoor
    buckets: Buckets


def create(settings: IntakeSettings) -> Intake:
    """Build the service. Raises `WrongSetting` in one sentence."""
    service = Intake("intake", settings, database=False)
    home = service.books.home
    for source in home.sources.source if home else ():
        secrets_of(source)  # a door of the folder's that could let nobody in is told at start
    mails = MailReaders()
    hash_key = settings.hashing

    def companies() -> Companies:
        return service.known.companies

    def reception_of(tenant: str) -> Reception:
        known = DirectoryOf(companies, tenant)
        return Reception(tenant, hash_key, service.doors, known, mails)

    houses = Houses(companies, reception_of, home.tenant if home else None)
    service.buckets = Buckets(settings.source_rate_per_s, settings.source_burst)
    http = HttpDoor(
        houses,
        buckets=service.buckets,
        in_flight=settings.in_flight,
        public_url=settings.public_url,
    )
    directory = DirectoryDoor(
        service.doors,
        service.known,
        books=service.books,
        admin_key=settings.admin_key.get_secret_value() if settings.admin_key else None,
    )
    service.smtp = SmtpDoor(houses, host=settings.smtp_host, port=settings.smtp_port)
    service.routers += [http.router, directory.router]
    service.raw_subscriptions += [RawSubscription(INBOUND, TopicDoor(houses).receive)]
    if settings.files is not None:
        service.loops.append(FileDoor(lambda: houses.with_door("file"), settings.files).run)
    # What is published later may have a mailbox: without a folder the door is open from the start.
    if home is None or any("smtp" in source.doors for source in home.sources.source):
        service.on_start.append(_listening(service.smtp))
    service.on_stop += [mails.stop, service.smtp.stop]  # the last one stops first
    return service


def _listening(smtp: SmtpDoor) -> Callable[[], Awaitable[None]]:
    async def listen() -> None:
        try:
            await smtp.start()
        except OSError as error:
            raise WrongSetting(
                f"Mail cannot be taken at {smtp.host}:{smtp.port} ({error.strerror}): "
                "set RELANCE_SMTP_PORT to a free port, or 0 for any."
            ) from None
        log.info("mail door open", host=smtp.host, port=smtp.port)

    return listen
