"""The commands about a person: what is kept of them, handed out or erased."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="A person: hand out what is kept of them, or forget them.", no_args_is_help=True
)
Url = Annotated[str, typer.Option(envvar="RELANCE_PIPELINE_URL", help="Where pipeline answers.")]
Key = Annotated[
    str, typer.Option(envvar="RELANCE_API_KEY", help="Key of an agent whom the rulebook lets.")
]
Lead = Annotated[str, typer.Argument(help="The number, or the id, of any lead of theirs.")]
URL = "http://127.0.0.1:8401"


@app.command("export")
def export(
    lead: Lead,
    key: Key,
    to: Annotated[Path | None, typer.Option(help="A file; else it is printed.")] = None,
    url: Url = URL,
) -> None:
    """Everything that is kept of a lead's contact, on all their leads, as one JSON document."""
    from relance import contact  # noqa: PLC0415

    typer.echo(contact.export(contact.Desk(url, key), lead, to))


@app.command("erase")
def erase(
    lead: Lead,
    key: Key,
    url: Url = URL,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only shown.")] = False,
) -> None:
    """Forget a lead's contact, on all their leads and for ever."""
    from relance import contact  # noqa: PLC0415

    typer.echo(contact.erase(contact.Desk(url, key), lead, for_real=yes))
