"""`python -m relance`: the command where it is not installed."""

from relance.cli import main

main()
