"""intake, put together: what it needs, and which door gets what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from services.intake.core.bucket import Buckets
from services.intake.doors.directory import DirectoryDoor
from services.intake.doors.file import FileDoor
from services.intake.doors.http import HttpDoor, ways_of
from services.intake.doors.smtp import SmtpDoor
from services.intake.doors.topic import TopicDoor
from services.intake.formats.mail_process import MailReaders
from services.intake.reception import Reception
from services.intake.settings import IntakeSettings, secrets_of
from shared.contract import topics
from shared.runtime import rulebook_folder
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
    book = rulebook_folder.read(settings.rulebook)
    secrets = {source.id: secrets_of(source) for source in book.sources.source}
    service = Intake("intake", settings, database=False)
    mails = MailReaders()
    reception = Reception(
        book.tenant,
        settings.hash_key.get_secret_value().encode(),
        service.doors,
        service.known,
        mails,
    )
    service.buckets = Buckets(settings.source_rate_per_s, settings.source_burst)
    http = HttpDoor(
        reception,
        ways_of(book.sources, secrets),
        buckets=service.buckets,
        in_flight=settings.in_flight,
        public_url=settings.public_url,
        language=book.language,
    )
    directory = DirectoryDoor(
        service.doors,
        service.known,
        tenant=book.tenant,
        admin_key=settings.admin_key.get_secret_value() if settings.admin_key else None,
        setting_problems=book.setting_problems,
    )
    service.smtp = SmtpDoor(
        reception, book.sources, host=settings.smtp_host, port=settings.smtp_port
    )
    service.routers += [http.router, directory.router]
    service.raw_subscriptions += [
        RawSubscription(INBOUND, TopicDoor(reception, book.sources).receive)
    ]
    if settings.files is not None:
        service.loops.append(FileDoor(reception, book.sources.source, settings.files).run)
    if any("smtp" in source.doors for source in book.sources.source):
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
