import pytest

from relance.stack.error import StackError
from relance.stack.kafka import brokers_of_environment
from relance.stack.ports import Ports


def test_all_ports_move_with_one_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELANCE_PORT_BASE", "9000")
    ports = Ports.of_environment()
    assert (ports.intake, ports.postgres) == (9000, 9008)


@pytest.mark.parametrize("value", ["", "eighty", "80", "65535", "-1"])
def test_a_wrong_base_is_told_in_a_sentence(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELANCE_PORT_BASE", value)
    with pytest.raises(StackError, match=r"RELANCE_PORT_BASE is .* should be a number"):
        Ports.of_environment()


def test_a_cluster_has_one_broker_or_three(monkeypatch: pytest.MonkeyPatch) -> None:
    assert brokers_of_environment() == 1
    monkeypatch.setenv("RELANCE_KAFKA_BROKERS", "3")
    assert brokers_of_environment() == 3
    monkeypatch.setenv("RELANCE_KAFKA_BROKERS", "2")
    with pytest.raises(StackError, match=r"RELANCE_KAFKA_BROKERS is '2' and should be 1, or 3"):
        brokers_of_environment()
