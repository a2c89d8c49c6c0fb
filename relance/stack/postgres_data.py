"""A new data folder of PostgreSQL, with the database and the roles of the services in it."""

import os
import shutil
import subprocess
from pathlib import Path

from relance.stack.error import StackError
from relance.stack.postgres_place import Place

ROLES = ("pipeline", "reminders", "notifications")
DATABASE = "relance"


def create_data(place: Place) -> None:
    """Make the data folder, under another name first: half a folder is never taken for one."""
    half = place.data.with_name("postgres.new")
    shutil.rmtree(half, ignore_errors=True)
    place.give(half)
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    _run(place, "initdb", [*options, "-D", half])
    _run(place, "postgres", ["--single", "-D", half, "postgres"], _roles())
    _run(place, "postgres", ["--single", "-D", half, DATABASE], _schemas())
    half.replace(place.data)


def clean_environment() -> dict[str, str]:
    """Return our environment without what would make PostgreSQL behave otherwise."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}


def _run(place: Place, program: str, arguments: list[str | Path], sql: str = "") -> None:
    account = place.account
    done = subprocess.run(
        [place.program(program), *arguments],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(),
        cwd=place.installation,
        user=account.user if account else None,
        group=account.group if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode or "ERROR:" in done.stderr:
        raise StackError(f"PostgreSQL could not make its data folder: {done.stderr.strip()}")


def _roles() -> str:
    """One role a service, because a service may touch only its own tables (runtime.md 26)."""
    create = [f"CREATE ROLE {role} LOGIN" for role in ROLES]
    paths = [f"ALTER ROLE {role} SET search_path TO {role}" for role in ROLES]
    return ";\n".join([f"CREATE DATABASE {DATABASE}", *create, *paths]) + ";\n"


def _schemas() -> str:
    schemas = [f"CREATE SCHEMA {role} AUTHORIZATION {role}" for role in ROLES]
    return ";\n".join([*schemas, "REVOKE ALL ON SCHEMA public FROM PUBLIC"]) + ";\n"
