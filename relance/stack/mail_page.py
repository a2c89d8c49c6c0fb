"""The page and the JSON that show caught mail."""

from html import escape

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from relance.stack.mail_behaviour import Behaviour
from relance.stack.mail_box import Mail, MailBox

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 44rem; margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.3rem } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem } a { color: inherit }
.about, small { opacity: .65 } .about { font-size: .9rem }
.mail { display: block; padding: .6rem 0; border-top: 1px solid #8884; text-decoration: none }
.mail b, .mail small { display: block }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem }
dt { opacity: .65 } dd { margin: 0 }
pre { white-space: pre-wrap; padding: 1rem; border: 1px solid #8884; border-radius: 8px }
iframe { width: 100%; height: 44rem; border: 1px solid #8884; border-radius: 8px; background: #fff }
"""
# The message may say what it likes: nothing of it is run, nothing is fetched.
_SANDBOX = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
}


class MailPages:
    """The HTTP side of the mail catcher."""

    def __init__(self, box: MailBox, behaviour: Behaviour) -> None:
        """Show `box`; `behaviour` is changed in place by `PUT /api/behaviour`."""
        self._box = box
        self._behaviour = behaviour

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/", self._list),
                Route("/messages/{id}", self._message),
                Route("/messages/{id}/html", self._html),
                Route("/messages/{id}/raw", self._raw),
                Route("/api/messages", self._api_list, methods=["GET"]),
                Route("/api/messages", self._api_clear, methods=["DELETE"]),
                Route("/api/behaviour", self._api_behave, methods=["PUT"]),
                Route("/api/behaviour", self._api_behaviour, methods=["GET"]),
            ]
        )

    async def _list(self, _request: Request) -> Response:
        mails = self._box.newest_first()
        rows = (
            "".join(map(_row, mails)) or "<p>No mail yet. Send in a lead and look here again.</p>"
        )
        about = (
            "<p class=about>Nothing left this machine. Newest first; the page renews itself.</p>"
        )
        head = '<meta http-equiv="refresh" content="1">'
        return _page("Caught mail", f"<h1>Caught mail ({len(mails)})</h1>{about}{rows}", head)

    async def _message(self, request: Request) -> Response:
        mail = self._box.get(request.path_params["id"])
        return _page(mail.subject or "(no subject)", _view(mail)) if mail else _gone()

    async def _html(self, request: Request) -> Response:
        mail = self._box.get(request.path_params["id"])
        return HTMLResponse(mail.html, headers=_SANDBOX) if mail else _gone()

    async def _raw(self, request: Request) -> Response:
        mail = self._box.get(request.path_params["id"])
        if mail is None:
            return _gone()
        return PlainTextResponse(
            self._box.raw(mail.id), headers={"X-Content-Type-Options": "nosniff"}
        )

    async def _api_list(self, _request: Request) -> Response:
        return JSONResponse([mail.as_json() for mail in self._box.newest_first()])

    async def _api_clear(self, _request: Request) -> Response:
        self._box.clear()
        return Response(status_code=204)

    async def _api_behaviour(self, _request: Request) -> Response:
        return JSONResponse(self._behaviour.model_dump())

    async def _api_behave(self, request: Request) -> Response:
        try:
            wanted = Behaviour.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"detail": error.errors(include_url=False)}, status_code=422)
        self._behaviour.become(wanted)
        return JSONResponse(wanted.model_dump())


def _page(title: str, body: str, head: str = "") -> Response:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width">{head}<style>{_STYLE}</style>{body}'
    )


def _gone() -> Response:
    return PlainTextResponse("There is no such message: it may have been deleted.", 404)


def _row(mail: Mail) -> str:
    people = f"to {escape(', '.join(mail.recipients))} · {_clock(mail)}"
    subject = escape(mail.subject or "(no subject)")
    return f'<a class=mail href="/messages/{mail.id}"><b>{subject}</b><small>{people}</small></a>'


def _view(mail: Mail) -> str:
    facts = {
        "From": mail.headers.get("From", mail.sender),
        "To": ", ".join(mail.recipients),
        "Received": _clock(mail),
    }
    lines = "".join(f"<dt>{name}<dd>{escape(value)}" for name, value in facts.items())
    heading = "<h2>The same as plain text</h2>" if mail.html else ""
    text = f"{heading}<pre>{escape(mail.text)}</pre>" if mail.text else ""
    frame = f'<iframe sandbox="" src="/messages/{mail.id}/html" title="The HTML part"></iframe>'
    html = frame if mail.html else ""
    links = f'<p><a href="/">All mail</a> · <a href="/messages/{mail.id}/raw">As it came</a></p>'
    return f"{links}<h1>{escape(mail.subject or '(no subject)')}</h1><dl>{lines}</dl>{html}{text}"


def _clock(mail: Mail) -> str:
    return escape(mail.received_at[:19].replace("T", " ") + " UTC") if mail.received_at else ""
