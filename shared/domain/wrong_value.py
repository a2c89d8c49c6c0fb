"""What is wrong with a value in a file, in words for whoever wrote it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from pydantic_core import ErrorDetails

_PATTERNS: Mapping[str, str] = {
    "house-": "the id of a rule, such as 003-04, 002-L1 or house-01",
    "end_of_day": "a time of day such as 09:00, end_of_day or next_opening",
    "2[0-3]": "a time of day such as 09:00",
    "^[a-z]{2}$": "a language of two small letters, such as fr",
    "^tests/": "a test such as tests/unit/test_x.py::test_y",
    "task:": "task: and the id of a task",
    "env:": "env:NAME of a variable, or file:PATH",
    "https?": "an address that begins with https://",
    "@": "an e-mail address",
    "[a-z][a-z0-9_-]": "a name of small letters, digits, - and _, beginning with a letter",
    "[a-zA-Z][a-zA-Z0-9_]": "an id of letters, digits and _, beginning with a letter",
    "[\\w. -]": "the name of a file, without a folder",
}
"""By what only this pattern has in it: how a value that it allows looks."""

_EXPECTED: Mapping[str, str] = {
    "tuple_type": "a list in brackets, [ … ]",
    "list_type": "a list in brackets, [ … ]",
    "dict_type": "a table in braces, { … }",
    "model_type": "a table in braces, { … }",
    "model_attributes_type": "a table in braces, { … }",
    "string_type": 'a text in quotes, "…"',
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "time_type": "a time of day such as 09:00",
    "time_parsing": "a time of day such as 09:00",
    "date_type": "a date such as 2026-03-02",
    "date_parsing": "a date such as 2026-03-02",
    "date_from_datetime_parsing": "a date such as 2026-03-02",
    "datetime_type": "a date and time such as 2026-03-02T10:00",
    "datetime_parsing": "a date and time such as 2026-03-02T10:00",
    "datetime_from_date_parsing": "a date and time such as 2026-03-02T10:00",
    "timezone_aware": "a time with an offset, such as 2026-03-02T10:00+03:00",
}


_BRANCHES = frozenset({"constrained-str", "str", "int", "float", "bool"})


def in_words(details: ErrorDetails) -> str:
    """One finding of the validator; the place is not in it."""
    kind, given = details["type"], details["input"]
    if kind in _EXPECTED:
        return f"{_short(given)} is not expected here; expected {_EXPECTED[kind]}"
    context = details.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return f"{_short(given)} is not {_looks(str(context['pattern']))}"
    said = _SAID.get(kind, "{message}")
    if "expected" in context:
        context = {"expected": context["expected"].replace("True", "true")}
    message = f"{details['msg'][:1].lower()}{details['msg'][1:]}"
    return said.format(**{"given": _short(given), "message": message, "error": message, **context})


_SAID: Mapping[str, str] = {
    "extra_forbidden": "nobody knows this key; is it misspelt?",
    "missing": "this key is missing",
    "union_tag_invalid": "there is no {tag}; one of {expected_tags}",
    "union_tag_not_found": "it does not say what it is",
    "literal_error": "{given} is not expected here; expected {expected}",
    "value_error": "{error}",
    "assertion_error": "{error}",
    "too_short": "it is too short: write at least {min_length}",
    "too_long": "it is too long: write at most {max_length}",
    "string_too_short": "{given} has too few letters: write at least {min_length}",
    "string_too_long": "it has too many letters: write at most {max_length}",
    "greater_than_equal": "{given} is out of bounds: write at least {ge}",
    "greater_than": "{given} is out of bounds: write more than {gt}",
    "less_than_equal": "{given} is out of bounds: write at most {le}",
    "less_than": "{given} is out of bounds: write less than {lt}",
}
"""By the validator's name for what is wrong."""


def _looks(pattern: str) -> str:
    found = (words for part, words in _PATTERNS.items() if part in pattern)
    return next(found, "written as expected")


def not_text(error: UnicodeDecodeError) -> str:
    """Why a file is no text that can be read."""
    return f"byte {error.start} is not UTF-8; save the file as UTF-8 text"


def place_of(loc: Iterable[str | int]) -> tuple[str | int, ...]:
    """Where it is, without the names that the validator gives to the branches of a choice."""
    return tuple(
        step
        for step in loc
        if isinstance(step, int) or not (step in _BRANCHES or set("[(") & set(step))
    )


def _short(given: object) -> str:
    """As the file says it, not as we hold it."""
    match given:
        case bool():
            text = "true" if given else "false"
        case dt.date() | dt.time():
            text = f"{given} without quotes"
        case _:
            text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}…"
