"""Why Kafka does not let us in, told in one sentence instead of "unable to bootstrap"."""

from __future__ import annotations

import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from shared.runtime import kafka
from shared.runtime.settings import Settings


async def refusal(settings: Settings) -> str | None:
    """The sentence, if waiting is no use; None if Kafka may just be away.

    Asks the first address once, with the settings of every client of ours.
    """
    place = settings.kafka.split(",")[0].strip()
    host, _, port = place.rpartition(":")
    options = kafka.connection(settings)
    wanted = ("request_timeout_ms", "ssl_context", "security_protocol")
    known = {name: options[name] for name in options if name in wanted or name.startswith("sasl")}
    try:
        connection = await create_conn(host, int(port), **known)
    except (ssl.SSLError, KafkaError, OSError, TimeoutError) as error:
        return _sentence(settings, place, error)
    connection.close()
    return None


def _sentence(settings: Settings, place: str, error: Exception) -> str | None:
    match error:
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():  # cut off: it may be starting
            return None
        case ssl.SSLCertVerificationError():
            return (
                f"Kafka's certificate at {place} is not trusted ({error.verify_message}): is "
                "RELANCE_KAFKA_CA the file of the authority that signed it?"
            )
        case ssl.SSLError():
            return (
                f"Kafka at {place} does not speak TLS as we do ({error.reason}): is "
                "RELANCE_KAFKA_SECURITY right for that port?"
            )
        case SaslAuthenticationFailed() | AuthenticationFailedError():
            return (
                f"Kafka at {place} refuses the user {settings.kafka_user!r}: RELANCE_KAFKA_USER "
                "or RELANCE_KAFKA_PASSWORD is wrong, or the user is not there for "
                f"{settings.kafka_sasl_mechanism}."
            )
        case UnsupportedSaslMechanismError() | IllegalSaslStateError():
            return (
                f"Kafka at {place} does not take passwords by {settings.kafka_sasl_mechanism}: "
                "set RELANCE_KAFKA_SASL_MECHANISM or RELANCE_KAFKA_SECURITY."
            )
    return None
