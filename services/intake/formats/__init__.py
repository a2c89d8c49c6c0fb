"""How the bytes of each format are read. Nothing here raises but `Refusal`."""
