"""notifications: how a message goes, and whether it may."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from services.notifications import consent, store
from services.notifications.core.template import problems
from services.notifications.handlers import IGNORED, OnPipeline
from services.notifications.providers.provider import Provider
from services.notifications.providers.sandbox import Sandbox
from services.notifications.providers.sms import HttpSms
from services.notifications.providers.smtp import MailServer, Smtp
from services.notifications.providers.webhook import Way, Webhooks
from services.notifications.providers.webhook_sandbox import WebhookSandbox
from services.notifications.recall import Recall
from services.notifications.sender import Sender
from services.notifications.settings import NotificationsSettings
from shared.contract import topics
from shared.domain.rulebook.loader import FILES
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime.batch import Outcome
from shared.runtime.companies import per_company
from shared.runtime.reference import value_of
from shared.runtime.service import Service
from shared.runtime.settings import WrongSetting
from shared.runtime.subscription import Subscription


class Notifications(Service):
    """The service, with one sender for all its providers."""

    def __init__(self, settings: NotificationsSettings) -> None:
        """Wire the handler, the ways out and, where none is configured, the sandbox."""
        super().__init__("notifications", settings, migrations=Path(__file__).parent / "migrations")
        self.books.checks.append(lambda book: problems(book.messages))
        _check(self.books.home)
        handler = per_company(
            self.companies,
            lambda company: OnPipeline(company.book, company.directory, settings.hashing),
        )
        self.subscriptions.append(Subscription(topics.PIPELINE, handler, ignored=IGNORED))
        self.sender = Sender(self, _providers(self, settings), settings)
        self.loops.append(self.sender.run)
        self.on_stop.append(self.sender.close)
        self.on_start.append(
            lambda: consent.hash_old(
                self.postgres, settings.hashing, settings.dependency_deadline_s
            )
        )
        recall = Recall(self, self._wake)
        self.loops.append(recall.run)
        self.next_instants.append(self._next_message)
        self.quiet_checks += [self._sending, recall.busy]

    def committed(self, outcome: Outcome) -> None:
        """A batch was committed: there may be something to send."""
        super().committed(outcome)
        if outcome.handled:
            self._wake()

    def _wake(self) -> None:
        self.sender.wake.set()

    async def _next_message(self) -> datetime | None:
        async with self.postgres.pool.acquire(timeout=10) as session:
            return await store.earliest(session)

    async def _sending(self) -> str | None:
        async with self.postgres.pool.acquire(timeout=10) as session:
            return "sending" if await store.any_in_hand(session) else None


def create(settings: NotificationsSettings) -> Service:
    """The service, ready to run. Raises `WrongSetting` for a rulebook that cannot be used."""
    return Notifications(settings)


def _check(book: Rulebook | None) -> None:
    """Raises `WrongSetting` where the folder's templates cannot be used."""
    if book is not None and (wrong := problems(book.messages)):
        raise WrongSetting(
            f"The templates of rulebook {book.name} cannot be used: {'; '.join(wrong)}. "
            "Correct them and start again."
        )


def _providers(service: Service, settings: NotificationsSettings) -> list[Provider]:
    """The ways out; SMS go to our own sandbox until a provider is configured."""
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        ca=str(settings.smtp_ca) if settings.smtp_ca else None,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        timeout_s=settings.provider_timeout_s,
    )
    if settings.sms_url is None or settings.chat_url is None:
        service.routers.append(Sandbox(lambda: service.postgres).router)
    sms = HttpSms(
        lambda: settings.sms_url or f"{service.url}/sandbox/sms",
        token=settings.sms_token.get_secret_value() if settings.sms_token else None,
        at_once=settings.sms_at_once,
        timeout_s=settings.provider_timeout_s,
    )
    chat = HttpSms(
        lambda: settings.chat_url or f"{service.url}/sandbox/chat",
        token=settings.chat_token.get_secret_value() if settings.chat_token else None,
        at_once=settings.sms_at_once,
        timeout_s=settings.provider_timeout_s,
        channel="chat",
    )
    files = settings.rulebook / FILES if settings.rulebook else None
    mail = Smtp(server, settings.smtp_from, settings.smtp_at_once, files)
    return [mail, sms, chat, _webhooks(service, settings)]


def _webhooks(service: Service, settings: NotificationsSettings) -> Provider:
    """The way to other systems; the sandbox stands for those whose address is not set.

    Raises `WrongSetting` for an address of the folder's rulebook without a secret.
    """
    home = service.books.home
    for target in home.messages.target if home else ():
        if value_of(target.url) and not value_of(target.secret):
            raise WrongSetting(
                f"Target {target.id!r} of messages.toml has no secret: set {target.secret} and "
                "start again."
            )
    service.routers.append(WebhookSandbox(lambda: service.postgres).router)

    def way(tenant: str, name: str) -> Way | None:
        """By the rulebook in force; an address without a secret is none."""
        company = service.last_companies.get(tenant)
        targets = company.book.messages.target if company else ()
        target = next((each for each in targets if each.id == name), None)
        if target is None:
            return None
        url, secret = value_of(target.url), value_of(target.secret)
        if url:
            return Way(url, secret) if secret else None
        return Way(f"{service.url}/sandbox/webhooks/{name}")

    return Webhooks(way, timeout_s=settings.provider_timeout_s)
