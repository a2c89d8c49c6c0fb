"""A scenario: a short story with expectations that proves one rule of a rulebook.

Scenario files are TOML with `[[scenario]]` tables (`rule`, `title`, `site`, `start`, `steps`).
Times in them are local times of the scenario's site. A step is an inline table that is
named by its first word (`simulation/step.py`, `simulation/expected.py`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from relance.simulation.expected import Expect, ExpectNo, Refuse, View
from relance.simulation.step import (
    Act,
    Answer,
    Call,
    Declare,
    Local,
    Open,
    Receive,
    Reply,
    Step,
    Until,
    Wait,
)
from shared.domain.wrong_value import in_words, not_text, place_of

STEPS: dict[str, type[Step]] = {
    "receive": Receive,
    "call": Call,
    "reply": Reply,
    "open": Open,
    "answer": Answer,
    "act": Act,
    "declare": Declare,
    "wait": Wait,
    "until": Until,
    "expect": Expect,
    "expect_no": ExpectNo,
    "refuse": Refuse,
    "view": View,
}


class ScenarioError(Exception):
    """A scenario file cannot be used; the sentence names file, scenario, step and what to do."""


class Scenario(BaseModel):
    """One story for one rule; `title` is the sentence a sales manager could check."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str = Field(pattern=r"^(\d{3}-(L?\d+)|house-\d{2})$")
    title: str = Field(min_length=10)
    site: str
    start: Local
    steps: tuple[Step, ...] = Field(min_length=2)
    file: str = ""

    @model_validator(mode="after")
    def _expects_something(self) -> Scenario:
        if not any(isinstance(step, Expect | ExpectNo | Refuse | View) for step in self.steps):
            raise ValueError("it expects nothing, so it cannot fail: add an expect")
        return self

    @property
    def name(self) -> str:
        """Rule and title, as tests and reports show it."""
        return f"{self.rule} {self.title}"


def read_step(raw: object) -> Step:
    """The step that an inline table says; ValueError says what was expected."""
    if not isinstance(raw, dict):
        raise ValueError('a step is an inline table such as { wait = "31m" }')
    word = next(iter(raw), "nothing")
    if word not in STEPS:
        raise ValueError(f"a step begins with one of {', '.join(STEPS)}; this one with {word}")
    return STEPS[word].model_validate(raw)


def _sentence(error: ValidationError | ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    where = ".".join(str(part) for part in place_of(first["loc"]))
    message = in_words(first)
    return f"{where}: {message}" if where else message


def _scenario(raw: Mapping[str, object], where: str, file: str) -> Scenario:
    steps: list[Step] = []
    listed = raw.get("steps")
    if not isinstance(listed, list):
        raise ScenarioError(f"{where}: `steps` must be a list of inline tables")
    for number, each in enumerate(listed, 1):
        try:
            steps.append(read_step(each))
        except ValueError as error:
            raise ScenarioError(f"{where}, step {number}: {_sentence(error)}") from None
    try:
        return Scenario.model_validate({**raw, "steps": tuple(steps), "file": file})
    except ValidationError as error:
        raise ScenarioError(f"{where}: {_sentence(error)}") from None


def parse(text: str, file: str) -> tuple[Scenario, ...]:
    """The scenarios of one file. Raises `ScenarioError`, whose sentence begins with `file`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{file}: is not TOML: {error}") from None
    listed = tables.get("scenario", ())
    of_tables = isinstance(listed, list) and all(isinstance(each, dict) for each in listed)
    if not of_tables or set(tables) != {"scenario"}:
        raise ScenarioError(f"{file}: expected [[scenario]] tables and nothing else")
    return tuple(
        _scenario(raw, f"{file}, scenario {number} ({raw.get('title', 'without title')})", file)
        for number, raw in enumerate(listed, 1)
    )


def load(paths: Iterable[Path]) -> tuple[Scenario, ...]:
    """Every scenario of the given files, and of the `*.toml` in the given folders, in order.

    Raises `ScenarioError`, also when there is none.
    """
    found: list[Scenario] = []
    paths = list(paths)
    for path in paths:
        files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        for file in files:
            try:
                text = file.read_text(encoding="utf-8")
            except OSError as error:
                raise ScenarioError(f"{file}: cannot be read: {error.strerror}") from None
            except UnicodeDecodeError as error:
                raise ScenarioError(f"{file}: {not_text(error)}") from None
            found += parse(text, file.name)
    if not found:
        raise ScenarioError(f"there are no scenarios in {', '.join(map(str, paths))}")
    return tuple(found)
