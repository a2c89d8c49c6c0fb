"""A company to simulate: its rulebook and the directory that the folder brings as an example."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from relance import directory_file
from shared.domain.directory import Directory
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.wording import Names
from shared.runtime import rulebook_folder


@dataclass(frozen=True, slots=True)
class Company:
    """What a scenario plays in."""

    book: Rulebook
    directory: Directory

    def names(self) -> Names:
        """What the ids of this company are called."""
        return Names(
            agents={agent.id: agent.name for agent in self.directory.agents},
            stages={stage: declared.label for (_, stage), declared in self.book.stages.items()},
            fields={id_: declared.label for id_, declared in self.book.fields.items()},
            sources={source.id: source.label for source in self.book.sources.source},
            reasons={id_: declared.label for id_, declared in self.book.reasons.items()},
        )


def read_company(folder: Path) -> Company:
    """The company of a rulebook folder. Raises `ValueError`, whose sentence says what is wrong."""
    return Company(
        rulebook_folder.read(folder), Directory.of(directory_file.read(folder / "directory.toml"))
    )
