"""A company to simulate: its rulebook and the directory that the folder brings as an example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from relance import directory
from relance.directory import DirectoryError
from shared.contract.directory import Agent, Document, Site
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
    problems = [f"{file.name}: {problem}" for problem in directory.dangling(documents, {})]
    problems += _elsewhere(book, documents)
    if problems:
        raise DirectoryError("\n".join(problems))
    return Company(book, Directory.of(documents))


def _elsewhere(book: Rulebook, documents: Sequence[Document]) -> Iterator[str]:
    """What of the rulebook's sources lies at a site that the directory does not have."""
    sites = [document.id for document in documents if isinstance(document, Site)]
    if not sites:
        yield "directory.toml: there is no [[site]]; a company is somewhere"
    if not any(isinstance(document, Agent) for document in documents):
        yield "directory.toml: there is no [[agent]]; somebody works here"
    for source in book.sources.source if sites else ():
        if source.site not in sites:
            yield (
                f"sources.toml: source {source.id}: site: directory.toml has no site "
                f"{source.site!r}; it has {', '.join(sites)}"
            )
