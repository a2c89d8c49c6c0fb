"""The rulebook's folder, read for the loader, which does no I/O."""

from __future__ import annotations

import hashlib
from pathlib import Path

from shared.domain.rulebook import loader
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.wrong_value import not_text
from shared.runtime.settings import WrongSetting


def read(folder: Path | None) -> Rulebook:
    """The rulebook in `folder` (setting RELANCE_RULEBOOK), checked.

    Raises `WrongSetting` if there is no such folder, and what the loader raises.
    """
    if folder is None:
        raise WrongSetting("RELANCE_RULEBOOK is not set: name a folder, as rulebooks/axelerator.")
    if not (folder / "rulebook.toml").is_file():
        raise WrongSetting(
            f"{folder} is no rulebook's folder, there is no rulebook.toml: name one that is, as "
            "rulebooks/axelerator; a service is told by RELANCE_RULEBOOK."
        )
    return loader.load(texts(folder))


def texts(folder: Path) -> dict[str, str]:
    """Every file of the folder that the loader reads: name relative to it, and text.

    Of what is attached to mails (`files/`) it only needs to know that it is there, and which one:
    the text is its SHA-256. Raises `RulebookError` for a file that is no text.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name.startswith(loader.FILES):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.is_file() and path.suffix in {".toml", ".liquid"}:
            found[name] = _text(name, path)
    return found


def _text(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise loader.RulebookError([f"{name}: {not_text(error)}"]) from None
