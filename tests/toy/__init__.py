"""Toy services that show what the runtime does, with two tables and one event type."""
