"""A form, sent by a browser or by a server: JSON, urlencoded or multipart; fields by mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl

from python_multipart.multipart import Field, File, create_form_parser

from services.intake.core.arrival import Arrival, Refusal, Typed
from services.intake.core.wish import plain
from services.intake.formats.json_body import read_object
from services.intake.formats.payload import Payload
from shared.domain.rulebook.source import IGNORED, WORDS, Source

FIELDS_MOST = 200
Pairs = list[tuple[str, str]]
_TICKED = frozenset({"1", "true", "on", "yes", "y", "oui", "да"})
"""What a box sends when it is ticked; anything else is no consent."""


def read(source: Source, payload: Payload) -> Arrival:
    """The fields by the source's mapping; what it does not name is kept in the text, so that no
    word of a person is lost. Raises `Refusal`."""
    reader = _READERS.get(payload.media_type)
    if reader is None:
        known = ", ".join(sorted(_READERS))
        raise Refusal(f"content type {payload.media_type!r} is no form: send one of {known}")
    pairs = [(name, value) for name, value in reader(payload) if value.strip()]
    if len(pairs) > FIELDS_MOST:
        raise Refusal(f"the form has more than {FIELDS_MOST} fields")
    if source.honeypot and any(name == source.honeypot for name, _ in pairs):
        return Arrival(
            provider_id=payload.provider_id,
            ignored=f"a robot: it filled {source.honeypot!r}, a field that no person sees",
        )
    return mapped(source, pairs, payload.provider_id)


def mapped(source: Source, pairs: Pairs, provider_id: str | None) -> Arrival:
    """What these (name, value) pairs say by the source's mapping."""
    words: dict[str, list[str]] = {}
    fields: dict[str, list[str]] = {}
    typed: dict[str, list[Typed]] = {"phone": [], "email": []}
    rest: list[str] = []
    for name, value in pairs:
        word = source.mapping.get(name)
        if word == IGNORED or name == source.honeypot:
            continue
        if word is None:
            rest.append(f"{name}: {value}")
        elif word in typed:
            typed[word].append(Typed(field=name, text=value))
        elif word in WORDS:
            words.setdefault(word, []).append(value)
        else:
            fields.setdefault(word, []).append(value)

    def said(word: str, between: str = " ") -> str | None:
        return between.join(words[word]) if word in words else None

    return Arrival(
        provider_id=said("id") or provider_id,
        phones=tuple(typed["phone"]),
        emails=tuple(typed["email"]),
        name=said("name"),
        company=said("company"),
        subject=said("subject"),
        text="\n".join(filter(None, (said("text", "\n"), *rest))) or None,
        language=said("language"),
        owner=said("owner"),
        consents=plain(said("consent") or "") in _TICKED,
        fields={word: ", ".join(values) for word, values in fields.items()},
    )


def _json(payload: Payload) -> Pairs:
    flat: Pairs = []
    for name, value in read_object(payload.body).items():
        many = value if isinstance(value, list) else [value]
        flat.extend((name, text) for text in map(_scalar, many) if text is not None)
    return flat


def _scalar(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return str(value)
    except ValueError:  # an integer longer than Python is willing to print
        return None


def _urlencoded(payload: Payload) -> Pairs:
    try:
        return parse_qsl(
            payload.body.decode("utf-8", "replace"),
            keep_blank_values=False,
            max_num_fields=FIELDS_MOST,
            errors="replace",
        )
    except ValueError:
        raise Refusal(f"the form has more than {FIELDS_MOST} fields") from None


def _multipart(payload: Payload) -> Pairs:
    pairs: Pairs = []

    def on_field(field: Field) -> None:
        name, value = field.field_name or b"", field.value or b""
        pairs.append((name.decode("utf-8", "replace"), value.decode("utf-8", "replace")))

    def on_file(file: File) -> None:
        # The file itself lies on intake.raw.v1; people see that there was one.
        name, file_name = file.field_name or b"", file.file_name or b""
        pairs.append((name.decode("utf-8", "replace"), file_name.decode("utf-8", "replace")))
        file.close()

    header = payload.content_type.encode("latin-1", "replace")
    finished: list[bool] = []
    try:
        parser = create_form_parser({"Content-Type": header}, on_field, on_file)
        parser.on_end = lambda: finished.append(True)
        parser.write(payload.body)
        parser.finalize()
    except (ValueError, AssertionError) as error:
        raise Refusal(f"the multipart form cannot be read: {str(error)[:200]}") from None
    if not finished:
        raise Refusal("the multipart form was cut off: its closing boundary is not there")
    return pairs


_READERS: dict[str, Callable[[Payload], Iterable[tuple[str, str]]]] = {
    "application/json": _json,
    "application/x-www-form-urlencoded": _urlencoded,
    "multipart/form-data": _multipart,
}
