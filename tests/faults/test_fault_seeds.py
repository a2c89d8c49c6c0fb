"""A few seconds of each fault: nothing is lost, repeated, out of order or stuck.

The long forms, and the faults that cannot be short, are in `make faults`.
"""

import uuid
from collections.abc import AsyncIterator

import pytest

from relance.stack.kafka import Kafka
from relance.stack.postgres import Postgres
from tests.faults.ground import seed
from tests.faults.office import Ground, Office
from tests.faults.office_faults import SEEDS, Fault
from tests.faults.office_visit import strike
from tests.faults.row import Row


@pytest.fixture(scope="module")
async def office(
    kafka: Kafka, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    """One office for all: opening one costs as much as a fault."""
    name = f"office_{uuid.uuid4().hex[:8]}"
    postgres.copy_database(name)
    office = Office(Ground(kafka, postgres, name, tmp_path_factory.mktemp("office")), name)
    try:
        await office.open()
        yield office
        await office.close()
    finally:
        office.clear()
        postgres.drop_database(name)


@pytest.mark.parametrize("fault", SEEDS, ids=lambda fault: str(fault.name))
async def test_no_fault_loses_repeats_or_swaps_anything(office: Office, fault: Fault) -> None:
    is_harmless(await strike(office, fault, seed()))


def is_harmless(row: Row) -> None:
    print(row.as_line())  # noqa: T201 - what pytest shows of a test that fails
    assert row.ok, row
