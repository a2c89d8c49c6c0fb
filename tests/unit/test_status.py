"""`relance status` at 80 columns: whatever is down, one screen that can be read."""

from datetime import UTC, datetime

from relance.status import WIDTH, ServiceStatus, Status, as_text

AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
NUMBERS = {
    "outbox": 123_456,
    "outbox_oldest_s": 7_300,
    "stuck": 2,
    "parked": 17,
    "parked_oldest_s": 61,
    "quarantined": 3,
}
DOWN = "PostgreSQL does not answer at db.example:5432 ([Errno 111] refused). Is it running?"


def screen(*services: ServiceStatus, kafka: str = "answers") -> list[str]:
    lines = as_text(Status(AT, kafka, services)).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) <= 30
    return lines


def test_each_service_is_a_row_with_what_waits_and_how_old_it_is() -> None:
    lines = screen(
        ServiceStatus("pipeline", "live", "ready", {**NUMBERS, "open_leads": 1_200}, lag=5),
        ServiceStatus("intake", "live", "ready", lag=0),
    )
    assert lines[0].startswith("Everything answers.")
    row = next(line for line in lines if line.startswith("pipeline"))
    assert row.split()[1:] == ["ready", "5", "123456", "2", "h", "17", "61", "s", "3"]
    assert any("2 events that Kafka refuses for good" in line for line in lines)
    assert any("1200 open leads" in line for line in lines)


def test_a_database_that_is_down_is_told_once_and_a_service_with_its_address() -> None:
    lines = screen(
        ServiceStatus("intake", "no answer at http://127.0.0.1:8400", "not ready"),
        ServiceStatus("pipeline", "live", "NOT READY: no kafka, postgres", problem=DOWN),
        ServiceStatus("reminders", "NOT LIVE: a batch cannot take effect", "ready", problem=DOWN),
        kafka="no answer at 127.0.0.1:9092 (KafkaConnectionError)",
    )
    text = "\n".join(lines)
    assert text.startswith("NOT everything answers.")
    assert text.count("PostgreSQL does not answer") == 1
    assert "! intake        no answer at http://127.0.0.1:8400" in text
    assert "! pipeline      NOT READY: no kafka, postgres" in text
    assert "NOT LIVE" in text
