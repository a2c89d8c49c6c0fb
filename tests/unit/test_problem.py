"""What a person can put right is told in one sentence by every command, never as a traceback."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from relance.cli import app
from relance.stack.home import PROJECT
from relance.stack.port import free_port

NOBODY = f"http://127.0.0.1:{free_port()}"


@pytest.mark.parametrize(
    ("arguments", "settings", "told"),
    [
        (["mutants", "nosuch"], {}, "is no rulebook's folder"),
        (["directory", "example", "--url", NOBODY], {}, "intake does not answer"),
        (["directory", "apply", "nosuch.toml"], {}, "nosuch.toml cannot be read"),
        (["key", "list"], {"RELANCE_POSTGRES": "nonsense"}, "is no address of PostgreSQL"),
        (["outbox", "list"], {"RELANCE_POSTGRES": "postgresql://a:b"}, "is no address of Postgr"),
        (["explain", "X"], {"RELANCE_RULEBOOK": "/nosuch"}, "is no rulebook's folder"),
        (["status"], {"RELANCE_PORT_BASE": "abc"}, "RELANCE_PORT_BASE is 'abc'"),
        (["topics", "check"], {"RELANCE_PORT_BASE": "abc"}, "RELANCE_PORT_BASE is 'abc'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_input_or_setting_is_told_in_a_sentence(
    arguments: list[str], settings: dict[str, str], told: str
) -> None:
    done = CliRunner().invoke(app, arguments, env=settings)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("relance: ")
    assert told in done.stderr
    assert "Traceback" not in done.output


def test_an_address_of_kafka_that_is_none_is_refused_before_anything_is_asked() -> None:
    done = CliRunner().invoke(app, ["offsets", "show"], env={"RELANCE_KAFKA": "nonsense"})

    assert done.exit_code == 2
    assert "'nonsense' is no" in done.stderr


@pytest.mark.parametrize("broken", ["rulebook.toml", "scenarios/broken.toml"])
def test_mutants_of_what_is_broken_already_are_not_tried(tmp_path: Path, broken: str) -> None:
    ours = PROJECT / "rulebooks" / "carvivo"
    for file in (each for each in ours.rglob("*") if each.is_file()):
        copy = tmp_path / file.relative_to(ours)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    (tmp_path / broken).write_text("[[", encoding="utf-8")

    done = CliRunner().invoke(app, ["mutants", str(tmp_path)])

    assert (done.exit_code, done.stdout) == (1, "")
    assert "TOML" in done.stderr


def test_what_only_we_can_put_right_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("relance.settings_page.settings_page", broken)

    assert isinstance(CliRunner().invoke(app, ["settings"]).exception, ZeroDivisionError)
