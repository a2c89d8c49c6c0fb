"""Liquid templates: parsed once, limited in time and size, one environment a channel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from liquid import BoundTemplate, CachingDictLoader, Environment, StrictUndefined
from liquid.exceptions import LiquidError

from services.notifications.core.text_filter import FILTERS
from shared.domain.rulebook.message import Body, Messages

Partials = tuple[tuple[str, str], ...]


class TemplateError(ValueError):
    """A template that cannot be parsed or rendered; the text says which, where and why."""


class _Limited(Environment):
    """What a template may use at most; the longest digest (300 lines) needs a third of it."""

    loop_iteration_limit = 20_000
    output_stream_limit = 1_000_000
    local_namespace_limit = 100_000
    context_depth_limit = 20


def render(
    source: str, body: Body, partials: Mapping[str, str], values: Mapping[str, object]
) -> str:
    """`source` with `values`; `partials` by name and ending. Raises `TemplateError`.

    Only `html` escapes: in an SMS or a plain text `&amp;` would be read as it stands.
    """
    try:
        return _parsed(source, body, _shared(partials, body)).render(**values)
    except LiquidError as error:
        raise TemplateError(_sentence(error)) from None
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise TemplateError(f"{type(error).__name__}: {error}") from None


def problems(messages: Messages) -> list[str]:
    """What is wrong with the templates as they are written, a sentence each."""
    found = []
    for name, text in messages.partials.items():
        body = name.rpartition(".")[2]
        wrong = _wrong(text, body, messages.partials)  # type: ignore[arg-type]  # as they are read
        found += [f"templates/_{name}.liquid: {each}" for each in wrong]
    for template in messages.template:
        bodies: list[tuple[str, Body, str]] = [
            (f"templates/{template.id}.{body}.liquid", body, source)
            for body, source in template.files.items()
        ]
        if template.subject is not None:
            bodies.append((f"messages.toml: subject of {template.id!r}", "txt", template.subject))
        for where, body, source in bodies:
            found += [f"{where}: {each}" for each in _wrong(source, body, messages.partials)]
    return found


def _wrong(source: str, body: Body, partials: Mapping[str, str]) -> list[str]:
    """What can be told without values: syntax, filters and partials that do not exist."""
    try:
        used = _parsed(source, body, _shared(partials, body)).analyze().filters
    except LiquidError as error:
        return [_sentence(error)]
    known = _environment(body, ()).filters
    return [f"there is no filter {name!r}" for name in sorted(used) if name not in known]


def _shared(partials: Mapping[str, str], body: Body) -> Partials:
    return tuple(sorted((n, text) for n, text in partials.items() if n.endswith(f".{body}")))


@lru_cache(maxsize=64)
def _environment(body: Body, partials: Partials) -> Environment:
    named = {name.removesuffix(f".{body}"): text for name, text in partials}
    # Parsed once, not once a message: of a digest with 40 leads nine tenths were parsing.
    loader = CachingDictLoader(named, auto_reload=False)
    environment = _Limited(undefined=StrictUndefined, loader=loader, autoescape=body == "html")
    for name, filter_ in FILTERS.items():
        environment.add_filter(name, filter_)
    return environment


@lru_cache(maxsize=1024)
def _parsed(source: str, body: Body, partials: Partials) -> BoundTemplate:
    return _environment(body, partials).from_string(source)


def _sentence(error: LiquidError) -> str:
    """The first line of what Liquid says, with line and column where it knows them."""
    place = error.context()
    where = f" (line {place[0]}, column {place[1]})" if place else ""
    return f"{str(error.args[0] if error.args else error).splitlines()[0]}{where}"
