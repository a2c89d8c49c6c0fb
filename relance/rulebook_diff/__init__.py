"""What changes for people between two rulebooks, in words."""

from relance.rulebook_diff.differences import differences

__all__ = ["differences"]
