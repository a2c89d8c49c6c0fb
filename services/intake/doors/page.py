"""The few pages a person sees at a door: thanks, a plain form, what to correct."""

from __future__ import annotations

from html import escape
from uuid import uuid4

from shared.domain.rulebook.source import Source

_STYLE = (
    "body{font:17px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.2rem;"
    "color:#1d2733;background:#f6f7f9}main{background:#fff;border-radius:14px;padding:2rem;"
    "box-shadow:0 1px 3px #0002}h1{font-size:1.4rem;margin:0 0 .6rem}label{display:block;"
    "margin:.9rem 0 0}input,textarea{font:inherit;width:100%;box-sizing:border-box;"
    "margin-top:.25rem;padding:.55rem .6rem;border:1px solid #c6ccd4;border-radius:8px}"
    "button{font:inherit;margin-top:1.2rem;padding:.6rem 1.4rem;border:0;border-radius:8px;"
    "background:#1a6fd4;color:#fff}.trap{position:absolute;left:-100vw}"
)

WORDS = {
    "en": {
        "thanks": "Thank you, we have got it",
        "soon": "Somebody will get in touch with you soon.",
        "form": "Leave your request",
        "send": "Send",
        "sorry": "This could not be sent",
        "correct": "Please go back and give a phone (with its code) or an e-mail to answer to.",
        "again": "Please go back and send it once more in a moment.",
        "name": "Name",
        "phone": "Phone",
        "email": "E-mail",
        "company": "Company",
        "subject": "Subject",
        "text": "Message",
        "consent": "You may contact me again",
    },
    "ru": {
        "thanks": "Спасибо, заявка получена",
        "soon": "Мы скоро свяжемся с вами.",
        "form": "Оставьте заявку",
        "send": "Отправить",
        "sorry": "Не удалось отправить",
        "correct": "Вернитесь, пожалуйста, назад и укажите телефон (с кодом) или e-mail.",
        "again": "Вернитесь, пожалуйста, назад и отправьте ещё раз через минуту.",
        "name": "Имя",
        "phone": "Телефон",
        "email": "E-mail",
        "company": "Компания",
        "subject": "Тема",
        "text": "Сообщение",
        "consent": "Со мной можно снова связываться",
    },
    "fr": {
        "thanks": "Merci, votre demande est bien arrivée",
        "soon": "Nous vous contacterons très bientôt.",
        "form": "Laissez-nous votre demande",
        "send": "Envoyer",
        "sorry": "L’envoi n’a pas abouti",
        "correct": "Revenez en arrière et indiquez un téléphone (avec l’indicatif) ou un e-mail.",
        "again": "Revenez en arrière et renvoyez-la dans un instant.",
        "name": "Nom",
        "phone": "Téléphone",
        "email": "E-mail",
        "company": "Société",
        "subject": "Objet",
        "text": "Message",
        "consent": "Vous pouvez de nouveau me contacter",
    },
}


# What a phone offers to fill in by itself, by our word.
_FILLS = {"name": "name", "phone": "tel", "email": "email", "company": "organization"}


def thanks(language: str) -> str:
    """Where a browser lands after a form."""
    say = _words(language)
    return _page(language, say["thanks"], f"<p>{escape(say['soon'])}</p>")


def sorry(language: str, status: int) -> str:
    """Why a browser's form did not go through, and what to do."""
    say = _words(language)
    return _page(language, say["sorry"], f"<p>{say['correct' if status == 422 else 'again']}</p>")


def form(source: Source, language: str, path: str) -> str:
    """A plain form made of the source's mapping, sent to `path`: to try it, or to link to.

    It carries an id of its own, so that a double click or a reload is one request.
    """
    say = _words(language)
    rows = []
    for name, word in source.mapping.items():
        if word == "id":
            rows.append(f'<input type="hidden" name="{escape(name)}" value="{uuid4()}">')
        elif word in say:
            rows.append(f"<label>{escape(say[word])}{_field(name, word)}</label>")
    if source.honeypot:
        rows.append(
            f'<input class="trap" name="{escape(source.honeypot)}" tabindex="-1" '
            'autocomplete="off" aria-hidden="true">'
        )
    button = f"<button>{escape(say['send'])}</button>"
    body = f'<form method="post" action="{escape(path)}">{"".join(rows)}{button}</form>'
    return _page(language, say["form"], body)


def _field(name: str, word: str) -> str:
    if word == "text":
        return f'<textarea name="{escape(name)}" rows="4"></textarea>'
    if word == "consent":
        return f' <input type="checkbox" name="{escape(name)}" value="yes" style="width:auto">'
    kind = {"phone": "tel", "email": "email"}.get(word, "text")
    fills = _FILLS.get(word, "on")
    return f'<input type="{kind}" name="{escape(name)}" autocomplete="{fills}">'


def _words(language: str) -> dict[str, str]:
    return WORDS.get(language.partition("-")[0], WORDS["en"])


def _page(language: str, title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{escape(language)}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<main><h1>{escape(title)}</h1>{body}</main></html>"
    )
