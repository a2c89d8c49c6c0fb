"""The `relance` command. Each command's own code is imported when it is called."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from relance import cli_contact, cli_leads, cli_ops, cli_publish, cli_rulebook
from relance.cli_leads import RULEBOOK, Rulebook
from relance.problem import Commands

app = typer.Typer(
    cls=Commands,
    help="Relance: no lead forgotten, nobody told twice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli_leads.add_to(app)
cli_ops.add_to(app)
cli_rulebook.add_to(app)
directory_app = typer.Typer(help="Sites, calendars, teams and agents.", no_args_is_help=True)
app.add_typer(directory_app, name="directory")
app.add_typer(cli_publish.app, name="rulebook")
app.add_typer(cli_contact.app, name="contact")


@app.command()
def demo(
    json: Annotated[
        Path | None, typer.Option(help="Write what happened as JSON to this file.")
    ] = None,
) -> None:
    """Play the main job from end to end on the real stack, show it, and check it."""
    from relance.demo.demo import demo as play  # noqa: PLC0415

    raise typer.Exit(play(json))


@app.command()
def up() -> None:
    """Run the whole system until Ctrl-C; its data are kept."""
    from relance.up import up as run  # noqa: PLC0415

    raise typer.Exit(run())


@app.command()
def settings() -> None:
    """Every setting of every service: name, default, meaning."""
    from relance.settings_page import settings_page  # noqa: PLC0415

    typer.echo(settings_page())


@app.command()
def docs() -> None:
    """Write anew what is made from the code: docs/events, docs/rulebook.md, docs/metrics.md, the
    topic table, and the schemas of the rulebooks' files; refuses what breaks readers."""
    from relance import event_docs, metrics_page, rulebook_page, rulebook_schema  # noqa: PLC0415

    try:
        changed = event_docs.write()
    except event_docs.IncompatibleChange as error:
        raise typer.BadParameter(str(error)) from None
    if not metrics_page.PAGE.exists() or metrics_page.PAGE.read_text() != metrics_page.page():
        metrics_page.PAGE.write_text(metrics_page.page())
        changed = [*changed, metrics_page.PAGE.name]
    changed = [*changed, *rulebook_page.write(), *rulebook_schema.write()]
    typer.echo("\n".join(changed) or "Nothing has changed.")


@directory_app.command("apply")
def directory_apply(
    file: Annotated[
        Path, typer.Argument(help="TOML with [[site]], [[calendar]], [[team]], [[agent]].")
    ],
    url: Annotated[
        str, typer.Option(envvar="RELANCE_INTAKE_URL", help="Where intake answers.")
    ] = "http://127.0.0.1:8400",
    key: Annotated[
        str, typer.Option(envvar="RELANCE_ADMIN_KEY", help="intake's admin key.")
    ] = "local-secret",
    tenant: Annotated[
        str | None, typer.Option(help="The company; that of RELANCE_RULEBOOK if absent.")
    ] = None,
) -> None:
    """Bring the directory to what FILE says; only what differs is written."""
    from relance import directory  # noqa: PLC0415

    changes = directory.apply(file, url, key, tenant=tenant)
    typer.echo("\n".join(str(change) for change in changes))


@directory_app.command("example")
def directory_example(
    rulebook: Rulebook = RULEBOOK,
    url: Annotated[
        str, typer.Option(envvar="RELANCE_INTAKE_URL", help="Where intake answers.")
    ] = "http://127.0.0.1:8400",
    key: Annotated[
        str, typer.Option(envvar="RELANCE_ADMIN_KEY", help="intake's admin key.")
    ] = "local-secret",
) -> None:
    """For a first try: the rulebook's example company, always open, if there is none yet."""
    from relance.example_company import open_example  # noqa: PLC0415

    opened = open_example(rulebook, url, key)
    typer.echo("The example company is open." if opened else "There is a company already.")


def main() -> None:
    """Run the command line."""
    # The Kafka client logs every try; the person gets one sentence once it is given up.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    app()
