"""What parts of a rulebook are called in a sentence; what is not here goes by its own name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from shared.domain.rulebook.rulebook import Rulebook

NOT_TOLD = frozenset({"version"})
"""What only follows from the rest."""

KINDS = {
    "requires": "requirement",
    "words": "list of words",
    "late": "the late mark",
    "quiet": "the quiet hours",
    "template": "message",
    "target": "other system",
    "rests": "a stage without a next step,",
    "order": "section",
    "values": "value",
    "attach_by": "what goes along by a field",
    "resume": "taking up a lost lead",
    "identity": "a second request",
}
SAID: Mapping[tuple[str, str], str] = {
    ("Rulebook", "name"): "the rulebook's name is",
    ("Rulebook", "tenant"): "the company's id is",
    ("Rulebook", "language"): "the company's language is",
    ("Messages", "company"): "recipients see the company's name as",
    ("Hold", "closed"): "messages wait while the site is closed by the sentence",
    ("Hold", "absent"): "messages wait while the agent is away by the sentence",
    ("Quiet", "from_"): "start at",
    ("Quiet", "until"): "end at",
    ("Quiet", "days"): "are all day on",
    ("Quiet", "channels"): "hold back",
    ("Stage", "next"): "leads on to",
    ("Identity", "policy"): "is taken by",
    ("Identity", "keep"): "keeps of two the one that came by",
    ("Identity", "key"): "is the same only with the same",
    ("Identity", "resume"): "takes up a lost lead:",
    ("Resume", "within"): "is possible within",
    ("Setting", "min"): "is at least",
    ("Setting", "max"): "is at most",
    ("Setting", "default"): "is by default",
    ("Digest", "at"): "goes at",
    ("Digest", "to"): "goes to",
    ("Digest", "sections"): "tells of",
    ("Template", "channels"): "goes by",
    ("Template", "to"): "goes to",
    ("Template", "attach"): "has attached",
    ("AttachBy", "files"): "has for each value",
    ("Rest", "why"): "that is right because",
    ("Requirement", "level"): ": whoever goes against it is",
}
ORDERED = frozenset({("Identity", "keep"), ("Digest", "sections")})


def label_of(model: Any) -> str:
    """`«Call back»`; empty without a label."""
    label = getattr(model, "label", "")
    return f"«{label}»" if label else ""


def name_of(kind: str, key: Any, model: Any) -> str:
    """`stage «New»`."""
    shown_key = ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)
    return f"{kind} {label_of(model) or (f'«{shown_key}»' if shown_key else '')}".strip()


def kind_of(name: str) -> str:
    """What the things of this field are called."""
    if name in KINDS:
        return KINDS[name]
    info = Rulebook.model_fields.get(name)
    return ((info.alias if info else None) or name.rstrip("_")).replace("_", " ")


def said_of(model: BaseModel, name: str) -> str:
    """The words before the value of this field."""
    words = name.rstrip("_").replace("_", " ")
    known = SAID.get((type(model).__name__, name))
    return known or ("stands for the sentence" if name == "rule" else f"{words}:")
