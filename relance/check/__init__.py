"""`relance check`: what is wrong with a rulebook before anybody works by it."""
