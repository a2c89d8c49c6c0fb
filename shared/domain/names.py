"""What the ids in events are called, for people."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from shared.domain.directory import Directory
from shared.domain.rulebook.rulebook import Rulebook


@dataclass
class Names:
    """What ids are called; an id without a name is shown as it is.

    `tasks` are names of single tasks, by task id; the story fills it as tasks come up.
    """

    agents: dict[str, str] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    values: dict[tuple[str, str], str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, book: Rulebook, directory: Directory) -> Names:
        """What the ids of this company are called."""
        return cls(
            agents={agent.id: agent.name for agent in directory.agents},
            stages={stage: declared.label for (_, stage), declared in book.stages.items()},
            fields={id_: declared.label for id_, declared in book.fields.items()},
            values={
                (id_, value): choice.label
                for id_, declared in book.fields.items()
                for value, choice in declared.values.items()
            },
            sources={source.id: source.label for source in book.sources.source},
            reasons={id_: declared.label for id_, declared in book.reasons.items()},
            outcomes={id_: declared.label for id_, declared in book.outcomes.items()},
            targets={id_: declared.label for id_, declared in book.messages.targets.items()},
            documents={id_: declared.label for id_, declared in book.documents.items()},
        )

    def learn(self, other: Names) -> None:
        """Take over the names of what has none here."""
        for kind in fields(self):
            known, others = getattr(self, kind.name), getattr(other, kind.name)
            setattr(self, kind.name, others | known)

    def agent(self, id_: str | None) -> str:
        """The person's name; `nobody` without one."""
        return "nobody" if id_ is None else self.agents.get(id_, id_)
