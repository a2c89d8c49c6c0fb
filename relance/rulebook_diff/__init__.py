"""What changes for people between two rulebooks, in words: a sentence a difference."""

from relance.rulebook_diff.telling import differences
from relance.rulebook_diff.text import attached

__all__ = ["attached", "differences"]
