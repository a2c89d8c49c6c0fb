"""A number with its English word, on every screen alike: `1 lead`, `2 leads`, `1,200 leads`."""

from __future__ import annotations


def counted(many: int, one: str, others: str = "") -> str:
    """The number and its word; `others` where the plural is more than an s."""
    return f"{many:,} {noun(many, one, others)}"


def noun(many: int, one: str, others: str = "") -> str:
    """The word alone, for columns and for what stands between number and word."""
    return one if many == 1 else others or f"{one}s"
