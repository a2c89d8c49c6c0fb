"""People who know nothing but a rulebook: what they can do next, and what they do so that they
may. Used to explore a rulebook, to play a year through it, and to test it."""
