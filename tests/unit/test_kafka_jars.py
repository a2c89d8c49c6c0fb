"""Kafka's jars are fetched once, however many ask at the same time."""

import threading
from pathlib import Path
from time import sleep

import pytest

from relance.stack import kafka_jars


def test_two_first_runs_at_once_fetch_one_after_the_other_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[Path] = []

    def fetch(folder: Path, wanted: dict[str, str], _say: kafka_jars.Say) -> None:
        fetched.append(folder)
        sleep(0.2)
        folder.mkdir()
        (folder / "a.jar").write_bytes(b"")

    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    monkeypatch.setattr(kafka_jars, "user_cache", lambda: tmp_path / "new")
    monkeypatch.setattr(kafka_jars, "_wanted", lambda: {"a.jar": empty})
    monkeypatch.setattr(kafka_jars, "_fetch", fetch)
    found: list[Path] = []
    said: list[str] = []

    def run() -> None:
        found.append(kafka_jars.kafka_jars(said.append))

    runs = [threading.Thread(target=run) for _ in range(3)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()

    assert len(fetched) == len(said) == 1
    assert found == fetched * 3
