from pathlib import Path

import pytest

from relance.stack.error import StackError
from relance.stack.surroundings import LOCAL_SECRET, Surroundings


def around(rulebook: Path) -> Surroundings:
    return Surroundings(
        kafka="127.0.0.1:1",
        intake_url="http://127.0.0.1:2",
        pipeline_url="http://127.0.0.1:5",
        intake_smtp_port=3,
        mail_smtp_port=4,
        rulebook=rulebook,
        clock_file=None,
    )


def test_intake_has_no_database_and_the_others_have_their_own_role(tmp_path: Path) -> None:
    surroundings = around(tmp_path)
    assert "RELANCE_POSTGRES" not in surroundings.settings("intake", "http://127.0.0.1:2", "dsn")
    assert surroundings.settings("pipeline", "http://h:9", "dsn")["RELANCE_POSTGRES"] == "dsn"


def test_mail_goes_from_notifications_to_the_catcher_and_from_outside_to_intake(
    tmp_path: Path,
) -> None:
    surroundings = around(tmp_path)
    ports = {
        name: surroundings.settings(name, "http://h:9", "dsn")["RELANCE_SMTP_PORT"]
        for name in ("intake", "notifications")
    }
    assert ports == {"intake": "3", "notifications": "4"}


def test_a_service_that_is_killed_comes_back_under_its_own_name(tmp_path: Path) -> None:
    """Kafka gives it its partitions back at once instead of waiting 30 s for the dead one."""
    surroundings = around(tmp_path)
    names = {surroundings.settings("pipeline", "http://h:9", "x")["RELANCE_MEMBER"] for _ in "ab"}
    assert names == {"local"}


def test_every_door_that_wants_a_secret_gets_one(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nsecrets = ["env:A", "env:B"]\n[[source]]\nsecrets = ["file:/x"]\n[[source]]\n'
    )
    secrets = around(tmp_path).secrets("intake")
    assert secrets == {"RELANCE_ADMIN_KEY": LOCAL_SECRET, "A": LOCAL_SECRET}


def test_unreadable_doors_are_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text("no toml")
    with pytest.raises(StackError, match=r"sources.toml cannot be read"):
        around(tmp_path).secrets("intake")
