"""A lead's number for people: a short form of its id, so that no counter is shared."""

from __future__ import annotations

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 6


def number_of(lead: str) -> str:
    """The first 30 bits of the id, without look-alike letters."""
    bits = int(lead[:8], 16) >> (32 - 5 * NUMBER_LENGTH)
    return "".join(
        CROCKFORD[(bits >> shift) & 31] for shift in range(5 * (NUMBER_LENGTH - 1), -1, -5)
    )
