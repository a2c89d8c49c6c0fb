"""The commands that bring rulebooks into force: publish, list, diff, rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relance.cli_leads import RULEBOOK, Rulebook
from relance.cli_rulebook import folder_of

app = typer.Typer(help="Rulebooks: bring one into force, and back.", no_args_is_help=True)
Url = Annotated[str, typer.Option(envvar="RELANCE_INTAKE_URL", help="Where intake answers.")]
Key = Annotated[str, typer.Option(envvar="RELANCE_ADMIN_KEY", help="intake's admin key.")]
Name = Annotated[
    str | None, typer.Argument(help="Folder, or the name of one of ours; --rulebook if absent.")
]
Tenant = Annotated[str | None, typer.Option(help="The company; the rulebook's own if absent.")]
URL, KEY = "http://127.0.0.1:8400", "local-secret"


@app.command("publish")
def publish(
    name: Name = None,
    rulebook: Rulebook = RULEBOOK,
    note: Annotated[str | None, typer.Option(help="Why, for whoever reads the list.")] = None,
    url: Url = URL,
    key: Key = KEY,
) -> None:
    """Check the folder and bring it into force, in all services at once."""
    from relance import rulebook_publish as books  # noqa: PLC0415

    typer.echo(books.publish(_folder(name, rulebook), books.Office(url, key), note))


@app.command("list")
def list_(
    name: Name = None,
    tenant: Tenant = None,
    rulebook: Rulebook = RULEBOOK,
    url: Url = URL,
    key: Key = KEY,
) -> None:
    """Show every version that was published; the arrow is at the one in force."""
    from relance import rulebook_publish as books  # noqa: PLC0415

    of = tenant or books.read(_folder(name, rulebook))[1].tenant
    typer.echo(books.listed(of, books.Office(url, key)))


@app.command("diff")
def diff(name: Name = None, rulebook: Rulebook = RULEBOOK, url: Url = URL, key: Key = KEY) -> None:
    """Say what would change for people if the folder were published."""
    from relance import rulebook_publish as books  # noqa: PLC0415

    typer.echo(books.diff(_folder(name, rulebook), books.Office(url, key)))


@app.command("rollback")
def rollback(
    to: Annotated[str | None, typer.Argument(help="A version; the one before if absent.")] = None,
    tenant: Tenant = None,
    rulebook: Rulebook = RULEBOOK,
    url: Url = URL,
    key: Key = KEY,
) -> None:
    """Bring an earlier version into force again."""
    from relance import rulebook_publish as books  # noqa: PLC0415

    of = tenant or books.read(_folder(None, rulebook))[1].tenant
    typer.echo(books.rollback(of, books.Office(url, key), to))


def _folder(name: str | None, rulebook: Path) -> Path:
    return folder_of(name if name is not None else str(rulebook))
