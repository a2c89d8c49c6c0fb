"""`/answer/{token}`: a question answered from the message that asked it. GET shows, POST acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.pipeline import leads, problem
from services.pipeline.acting import Acting
from services.pipeline.acting import Request as Asked
from services.pipeline.answers import Answer
from services.pipeline.core.action import AnswerQuestion
from services.pipeline.core.lead import Lead, Question
from services.pipeline.keys import Caller
from services.pipeline.problem import Problem, ProblemRoute
from shared.domain.signed_link import BadLink, Link, read_link
from shared.runtime import clock

if TYPE_CHECKING:
    from shared.contract.envelope import Envelope
    from shared.runtime.companies import Company
    from shared.runtime.postgres import Transaction
    from shared.runtime.service import Service

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "whom": "to whom?",
        "done": "Thank you, that is noted.",
        "over": "Nobody waits for this answer any more.",
        "bad": "This link does not work (any more): open it from the latest message.",
    },
    "ru": {
        "whom": "кому?",
        "done": "Спасибо, ответ записан.",
        "over": "Этот ответ больше не нужен.",
        "bad": "Ссылка не работает: откройте её из последнего сообщения.",
    },
    "fr": {
        "whom": "à qui ?",
        "done": "Merci, votre réponse est enregistrée.",
        "over": "Cette question n’attend plus de réponse.",
        "bad": "Ce lien ne fonctionne pas (ou plus) : ouvrez-le depuis le dernier message.",
    },
}
_PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots"
content="noindex"><title>{title}</title><style>
body{{margin:0;background:#f2f4f7;color:#1d2433;font:17px/1.5 -apple-system,'Segoe UI',Roboto,
Arial,sans-serif}}main{{max-width:520px;margin:0 auto;padding:24px 14px}}h1{{font-size:22px}}
form{{background:#fff;border-radius:12px;padding:12px 14px;margin:12px 0}}
button{{width:100%;padding:14px 8px;border:0;border-radius:10px;background:#1d5fa8;color:#fff;
font:inherit;font-weight:600}}select{{width:100%;padding:10px;margin:0 0 10px;font:inherit}}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"""


def router_of(service: Service) -> APIRouter:
    """The two routes; whoever holds the link of a message is its recipient."""
    router = APIRouter(tags=["answers"], route_class=ProblemRoute)
    desk = _Desk(service)

    @router.get("/answer/{token}", include_in_schema=False)
    async def show(token: str) -> HTMLResponse:
        return await desk.show(token)

    @router.post("/answer/{token}", include_in_schema=False)
    async def act(token: str, request: Request) -> HTMLResponse:
        form = await request.form()
        return await desk.act(token, str(form.get("answer", "")), str(form.get("to", "")) or None)

    return router


class _Desk:
    def __init__(self, service: Service) -> None:
        self._service = service
        key = service.settings.link_key
        self._key = key.get_secret_value().encode() if key else None

    async def show(self, token: str) -> HTMLResponse:
        """The lead, and a button for each answer."""
        try:
            link = self._read(token)
        except BadLink:
            return _say("bad", "en", 410)
        async with self._service.postgres.transaction() as tx:
            company = (await self._service.companies(tx)).get(link.tenant)
            found = await leads.find(tx, link.tenant, link.lead)
            lead = await leads.one(tx, found[0].id) if found else None
        if company is None or lead is None:
            return _say("bad", "en", 410)
        language, question = company.book.language, lead.questions.get(link.question)
        if question is None or not question.is_open or not lead.is_open:
            return _say("over", language, 410)
        return _page(_who(lead), language, _forms(question, lead, company))

    async def act(self, token: str, answer: str, to: str | None) -> HTMLResponse:
        """The same core, locks and transaction as any action of an agent."""
        try:
            link = self._read(token)
        except BadLink:
            return _say("bad", "en", 410)
        action = AnswerQuestion(question=link.question, answer=answer, to=to)
        asked = Asked(Caller(link.tenant, link.agent, "link"), link.lead, action)
        language = "en"

        async def work(tx: Transaction) -> tuple[Answer, Sequence[Envelope]]:
            nonlocal language
            company = (await self._service.companies(tx)).get(link.tenant)
            if company is None:
                raise problem.not_found(link.lead)
            language = company.book.language
            key = self._service.settings.hashing
            return await Acting(company.book, company.directory, key).act(tx, asked)

        try:
            answered = await self._service.unit(work)
        except Problem:
            return _say("bad", language, 410)
        if answered.status == 200:
            return _say("done", language, 200)
        return _say("over", language, 409)

    def _read(self, token: str) -> Link:
        if self._key is None:
            raise BadLink("Links are not signed here: set RELANCE_LINK_KEY.")
        return read_link(token, self._key, clock.now())


def _forms(question: Question, lead: Lead, company: Company) -> str:
    people = [
        (agent.id, agent.name)
        for agent in company.directory.agents
        if agent.site == lead.site and agent.id != lead.owner and agent.team is not None
    ]
    whom = _words(company.book.language)["whom"]
    options = "".join(f'<option value="{escape(i)}">{escape(n)}</option>' for i, n in people)
    return "".join(
        '<form method="post">'
        f'<input type="hidden" name="answer" value="{escape(each.id)}">'
        + (f'<select name="to" aria-label="{whom}">{options}</select>' if each.agent else "")
        + f"<button>{escape(each.label)}</button></form>"
        for each in question.answers
    )


def _words(language: str) -> Mapping[str, str]:
    return WORDS.get(language, WORDS["en"])


def _say(word: str, language: str, status: int) -> HTMLResponse:
    return _page(_words(language)[word], language, "", status)


def _page(title: str, language: str, body: str, status: int = 200) -> HTMLResponse:
    text = _PAGE.format(language=language, title=escape(title), body=body)
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(text, status, headers=headers)


def _who(lead: Lead) -> str:
    return lead.name or lead.company or lead.point("phone") or lead.point("email") or lead.number
