"""What pipeline's core makes of the inputs of every scenario, as one digest a rulebook; printed,
so that a process with the compiled core can be asked as well."""

from __future__ import annotations

import json
import sys
from hashlib import sha256

from benchmarks.core import Tape, tapes
from relance.cli_rulebook import all_rulebooks
from services.pipeline.core import engine


def digests() -> dict[str, str]:
    """Rulebook → all that was said in its scenarios, and how each lead stood after each input."""
    return {path.name: _digest(tapes(path)) for path in all_rulebooks()}


def _digest(recorded: list[Tape]) -> str:
    told = sha256()
    for tape in recorded:
        for world, events in tape.played():
            for event in events:
                told.update(event.to_bytes())
            for lead in world.leads.values():
                told.update(lead.model_dump_json().encode())
    return told.hexdigest()


if __name__ == "__main__":
    json.dump({"engine": engine.__file__, "digests": digests()}, sys.stdout)
