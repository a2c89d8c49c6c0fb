"""A company to simulate: its rulebook and the directory that the folder brings as an example."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from relance import directory
from relance.directory import DirectoryError
from shared.domain.directory import Directory
from shared.domain.names import Names
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime import rulebook_folder


@dataclass(frozen=True, slots=True)
class Company:
    """What a scenario plays in."""

    book: Rulebook
    directory: Directory

    def names(self) -> Names:
        """What the ids of this company are called."""
        return Names.of(self.book, self.directory)


def read_company(folder: Path) -> Company:
    """The company of a rulebook folder.

    Raises `WrongSetting`, `RulebookError` or `DirectoryError`: each says what is wrong.
    """
    book = rulebook_folder.read(folder)
    file = folder / "directory.toml"
    documents = directory.read(file)
    if problems := list(directory.dangling(documents, {})):
        raise DirectoryError("\n".join(f"{file.name}: {problem}" for problem in problems))
    return Company(book, Directory.of(documents))
