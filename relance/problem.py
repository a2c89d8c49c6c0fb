"""What went wrong, for the person at the terminal: one sentence, and exit code 1.

For every command alike: one that forgot to catch something would show a traceback.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """Commands whose problems are told in a sentence, where a person can put them right."""

    def invoke(self, ctx: Any) -> Any:  # typer keeps the class of contexts to itself
        """Run the command that is named; what only we can put right keeps its traceback."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not isinstance(error, _known()):
                raise
            typer.echo(f"relance: {error}", err=True)
            raise typer.Exit(1) from None


def _known() -> tuple[type[Exception], ...]:
    """Imported once something is wrong: `relance --help` needs none of them."""
    from relance.database import CannotDo  # noqa: PLC0415
    from relance.directory import DirectoryError  # noqa: PLC0415
    from relance.rulebook_publish import CannotPublish  # noqa: PLC0415
    from relance.scenario import ScenarioError  # noqa: PLC0415
    from relance.stack.error import StackError  # noqa: PLC0415
    from shared.domain.directory import Unknown  # noqa: PLC0415
    from shared.domain.rulebook.loader import RulebookError  # noqa: PLC0415
    from shared.runtime.settings import WrongSetting  # noqa: PLC0415

    return (
        CannotDo,
        CannotPublish,
        DirectoryError,
        RulebookError,
        ScenarioError,
        StackError,
        Unknown,
        WrongSetting,
    )
