"""Which stack the tests run on is said by one setting, and a wrong one in a sentence."""

import pytest

from relance.stack.error import StackError
from tests.elsewhere import PostgresElsewhere, chosen, take_outside_addresses


def test_the_embedded_stack_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELANCE_STACK", raising=False)
    assert chosen() == "embedded"


def test_a_wrong_stack_is_told_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELANCE_STACK", "docker")
    with pytest.raises(StackError, match=r"'docker' and should be one of embedded, containers"):
        chosen()


def test_an_address_that_was_not_given_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELANCE_KAFKA", raising=False)
    with pytest.raises(StackError, match="=external needs an address in RELANCE_KAFKA"):
        take_outside_addresses()


def test_every_role_comes_in_with_the_password_that_was_given() -> None:
    server = PostgresElsewhere("postgresql://boss:s%2Fecret@db.test/postgres")
    assert server.dsn("pipeline", "x") == "postgresql://pipeline:s%2Fecret@db.test:5432/x"
    assert server.dsn() == "postgresql://boss:s%2Fecret@db.test:5432/postgres"
