"""Every company's digest says as of when it is, where it could not wait (`runtime.md` 12)."""

from pathlib import Path

import pytest

from shared.runtime import rulebook_folder

ROOT = Path(__file__).parents[2] / "rulebooks"
FOLDERS = sorted(path.parent.name for path in ROOT.glob("*/rulebook.toml"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_digest_that_could_not_wait_says_so_in_every_body(folder: str) -> None:
    book = rulebook_folder.read(ROOT / folder)
    silent = [
        f"{template.id}.{body}"
        for template in book.messages.template
        if template.purpose == "digest"
        for body, text in template.files.items()
        if "as_of | local_time" not in text
    ]
    assert silent == []
