"""The commands that look into Kafka and PostgreSQL: explain, audit, key, dead-letters, topics.

As in `relance.cli`, a command's own code is imported when it is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from relance.stack.home import PROJECT

T = TypeVar("T")
RULEBOOK = PROJECT / "rulebooks" / "axelerator"
Rulebook = Annotated[
    Path, typer.Option(envvar="RELANCE_RULEBOOK", help="Folder of the company's rulebook.")
]

key_app = typer.Typer(help="Keys with which agents use the API.", no_args_is_help=True)
letters_app = typer.Typer(help="What was set aside, and why.", no_args_is_help=True)
topics_app = typer.Typer(help="Kafka's topics, as the topic table says.", no_args_is_help=True)


def _host_and_port(value: str | None) -> str | None:
    for address in value.split(",") if value else ():
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise typer.BadParameter(f"{address!r} is no host:port; several go by comma.")
    return value


Kafka = Annotated[
    str | None,
    typer.Option(
        envvar="RELANCE_KAFKA", help="host:port; else the local stack's.", callback=_host_and_port
    ),
]

Replication = Annotated[
    int | None,
    typer.Option(
        envvar="RELANCE_KAFKA_REPLICATION",
        min=1,
        max=9,
        help="Replicas of a topic; 3 in production.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Give `app` these commands."""
    app.command()(explain)
    app.command()(audit)
    app.command()(migrate)
    app.add_typer(key_app, name="key")
    app.add_typer(letters_app, name="dead-letters")
    app.add_typer(topics_app, name="topics")


def explain(
    lead: Annotated[str, typer.Argument(help="The lead's number, or its id.")],
    json: Annotated[bool, typer.Option("--json", help="As data, with every event whole.")] = False,
    rulebook: Rulebook = RULEBOOK,
) -> None:
    """Tell a lead's story from what came in to what was sent, and why each thing happened."""
    from relance import explain as explaining  # noqa: PLC0415

    explanation = done(explaining.explain(rulebook, lead))
    told = explaining.as_json if json else explaining.as_text
    typer.echo(told(explanation))


def audit(  # noqa: PLR0917 - options
    kafka: Kafka = None,
    postgres: Annotated[
        str | None, typer.Option(envvar="RELANCE_POSTGRES", help="Else the local stack's.")
    ] = None,
    mail_url: Annotated[str | None, typer.Option(help="The local mail catcher.")] = None,
    sms_url: Annotated[str | None, typer.Option(help="Notifications, for its sandbox.")] = None,
    since: Annotated[
        str | None,
        typer.Option(help="2h, 1d, an ISO time: what was said since, while all goes on."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Compare what was accepted with what was done and sent; exit 1 names each broken promise.

    Without --since everything is compared, and the system should be at rest: what is on its way
    would be taken for lost.
    """
    from relance import audit_command  # noqa: PLC0415

    report = done(audit_command.audited(kafka, postgres, mail_url, sms_url, since))
    typer.echo(audit_command.as_json(report) if json else audit_command.as_text(report))
    raise typer.Exit(0 if report.ok else 1)


def migrate() -> None:
    """Apply the migrations that are missing, of every service."""
    from relance import cluster  # noqa: PLC0415

    typer.echo(done(cluster.migrate()))


@topics_app.command("apply")
def topics_apply(
    kafka: Kafka = None,
    replication: Replication = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only shown.")] = False,
) -> None:
    """Make the topics as the table says; shows what that means, and does it with --yes.

    Partitions and replicas of a topic that exists are left to people.
    """
    from relance import cluster  # noqa: PLC0415

    typer.echo(done(cluster.apply_topics(kafka or local_kafka(), replication, for_real=yes)))


@topics_app.command("check")
def topics_check(kafka: Kafka = None, replication: Replication = None) -> None:
    """Compare the cluster with the topic table; exit 1 if it differs."""
    from relance import cluster  # noqa: PLC0415

    typer.echo(done(cluster.check_topics(kafka or local_kafka(), replication)))


def local_kafka() -> str:
    """Where the local stack's Kafka answers."""
    from relance.stack.ports import Ports  # noqa: PLC0415

    return f"127.0.0.1:{Ports.of_environment().kafka}"


@key_app.command("create")
def key_create(
    agent: Annotated[str, typer.Option(help="Agent id, as in the directory.")],
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    rulebook: Rulebook = RULEBOOK,
) -> None:
    """Make a key and print it; it is never shown again."""
    from relance import key  # noqa: PLC0415

    typer.echo(done(key.create(rulebook, agent, name)))


@key_app.command("list")
def key_list(rulebook: Rulebook = RULEBOOK) -> None:
    """Show all keys, without their secrets."""
    from relance import key  # noqa: PLC0415

    typer.echo(done(key.listed(rulebook)))


@key_app.command("revoke")
def key_revoke(
    key_or_id: Annotated[str, typer.Argument(metavar="KEY", help="The key, or its id.")],
    rulebook: Rulebook = RULEBOOK,
) -> None:
    """Take a key back, at once and for ever."""
    from relance import key  # noqa: PLC0415

    typer.echo(done(key.revoke(rulebook, key_or_id)))


@letters_app.command("list")
def letters_list(kafka: Kafka = None) -> None:
    """Show what was set aside, and what waits."""
    from relance import dead_letters  # noqa: PLC0415

    typer.echo(done(dead_letters.listed(kafka or local_kafka())))


@letters_app.command("show")
def letters_show(
    letter: Annotated[str, typer.Argument(help="As listed, such as pipeline/12.")],
    kafka: Kafka = None,
) -> None:
    """Show one whole: where it lay, why it was set aside, its bytes."""
    from relance import dead_letters  # noqa: PLC0415

    typer.echo(done(dead_letters.shown(letter, kafka or local_kafka())))


@letters_app.command("redrive")
def letters_redrive(
    letters: Annotated[
        list[str] | None, typer.Argument(help="As listed, such as pipeline/12.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="All of this lead, or of TENANT/AGENT.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only shown.")] = False,
) -> None:
    """Have them taken up again, in order; shows what that means, and does it with --yes."""
    from relance.redrive import Wish, redrive  # noqa: PLC0415

    wish = Wish(letters or (), subject, everything)
    typer.echo(done(redrive(wish, for_real=yes)))


def done(work: Coroutine[None, None, T]) -> T:
    """What the work returns."""
    return asyncio.run(_awaited(work))


async def _awaited(work: Coroutine[None, None, T]) -> T:
    return await work
