"""A year of random but plausible life through a rulebook, on the real cores."""
