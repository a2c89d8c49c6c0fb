"""The fixtures themselves: what a test of another room may rely on."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from relance.stack.kafka import Kafka
from tests.stack import Database, Names


async def test_each_role_owns_the_schema_of_its_name(database: Database) -> None:
    for role in ("pipeline", "reminders", "notifications"):
        connection = await asyncpg.connect(database.dsn(role))
        await connection.execute("CREATE TABLE note (text text)")
        where = await connection.fetchval(
            "SELECT relnamespace::regnamespace::text FROM pg_class "
            "WHERE relname = 'note' AND pg_table_is_visible(oid)"
        )
        await connection.close()
        assert where == role


async def test_a_large_record_goes_through_kafka(kafka: Kafka, names: Names) -> None:
    topic = names.topic()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    size = 7 * 1024 * 1024
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, max_request_size=size * 2
    ) as out:
        await out.send_and_wait(topic, b"x" * size)
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        record = await consumer.getone()
    assert len(record.value) == size
