"""The commands of whoever runs the system: status, offsets, outbox.

As in `relance.cli`, a command's own code is imported when it is called.
"""

from __future__ import annotations

import asyncio
import json as json_
import os
from typing import Annotated

import typer

from relance.cli_leads import Kafka, done, local_kafka

offsets_app = typer.Typer(help="Where the services stand on Kafka's topics.", no_args_is_help=True)
outbox_app = typer.Typer(help="Events that Kafka refuses for good.", no_args_is_help=True)
Postgres = Annotated[
    str | None, typer.Option(envvar="RELANCE_POSTGRES", help="Else the local stack's.")
]


def add_to(app: typer.Typer) -> None:
    """Give `app` these commands."""
    app.command()(status)
    app.add_typer(offsets_app, name="offsets")
    app.add_typer(outbox_app, name="outbox")


def status(
    kafka: Kafka = None,
    postgres: Postgres = None,
    json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Show the whole system on one screen; exit 1 if something does not answer.

    RELANCE_INTAKE_URL and so on say where each service is; else it is the local stack.
    """
    from relance import status as looking  # noqa: PLC0415
    from relance.stack.ports import Ports  # noqa: PLC0415

    ports = Ports.of_environment()
    urls = {
        name: os.environ.get(f"RELANCE_{name.upper()}_URL") or f"http://127.0.0.1:{port}"
        for name, port in (
            ("intake", ports.intake),
            ("pipeline", ports.pipeline),
            ("reminders", ports.reminders),
            ("notifications", ports.notifications),
        )
    }
    seen = asyncio.run(looking.status(urls, kafka or local_kafka(), postgres))
    typer.echo(json_.dumps(looking.as_data(seen), indent=1) if json else looking.as_text(seen))
    raise typer.Exit(0 if seen.ok else 1)


@offsets_app.command("show")
def offsets_show(
    group: Annotated[str | None, typer.Argument(help="As pipeline.intake.events.v1.")] = None,
    kafka: Kafka = None,
) -> None:
    """Show where a group stands, and what Kafka has; all groups without a name."""
    from relance import offsets  # noqa: PLC0415

    typer.echo(done(offsets.shown(group, kafka or local_kafka())))


@offsets_app.command("set")
def offsets_set(
    group: Annotated[str, typer.Argument(help="As pipeline.intake.events.v1.")],
    to: Annotated[str, typer.Option(help="earliest, latest, an offset, or an ISO time.")],
    only: Annotated[
        str | None, typer.Option(help="A topic or topic/partition; else all of the group's.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only shown.")] = False,
    kafka: Kafka = None,
) -> None:
    """Say where a stopped group goes on; shows what that means, and does it with --yes."""
    from relance import offsets  # noqa: PLC0415

    wanted = offsets.Change(group, to, only)
    typer.echo(done(offsets.change(wanted, kafka or local_kafka(), for_real=yes)))


@outbox_app.command("list")
def outbox_list(postgres: Postgres = None) -> None:
    """Show what is stuck, and what Kafka said."""
    from relance import outbox  # noqa: PLC0415

    typer.echo(done(outbox.listed(postgres)))


@outbox_app.command("retry")
def outbox_retry(
    subject: Annotated[str | None, typer.Argument(help="The lead's id, as listed.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that is stuck.")] = False,
    postgres: Postgres = None,
) -> None:
    """Have it tried again, in order."""
    from relance import outbox  # noqa: PLC0415

    if (subject is None) != every:
        raise typer.BadParameter("name one subject, or say --all")
    typer.echo(done(outbox.retry(subject, postgres)))
