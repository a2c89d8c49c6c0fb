"""The simulated world: the four cores joined in memory, and the scenarios that run in it."""
