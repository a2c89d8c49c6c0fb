"""What the local stack says when it cannot go on."""


class StackError(Exception):
    """The local stack cannot start or go on; the text is one sentence for a person."""
