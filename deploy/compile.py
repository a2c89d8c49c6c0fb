"""Pipeline's core as machine code: `python deploy/compile.py FOLDER` makes FOLDER a copy of
`shared` and `services` in which mypyc has compiled what decides.

It is the same source, checked by the same mypy: Python takes a compiled module before the text
beside it, which stays for tracebacks. The image runs this copy and `make bench` measures it; a
checkout runs its source, so that a change counts at once. Needs gcc and Python's headers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("shared", "services")
CORE = "services/pipeline/core"
MODELS = {"__init__", "action", "argument", "contact", "lead"}
"""Of the core: pydantic's models and what they are made of; mypyc makes nothing faster of them."""
BESIDE = (
    "services/pipeline/decision.py",
    "shared/domain/calendar.py",
    "shared/domain/directory.py",
    "shared/domain/duration.py",
    "shared/domain/lead_number.py",
    "shared/domain/local_time.py",
)
"""What the core calls most."""
COMPILE = "--compile-here"
MADE_OF = "made-of"
"""The file that says of which sources, and by which Python, a copy was made."""


def main() -> None:
    """Make the copy, unless it is made of just this already."""
    if len(sys.argv) != 2:
        sys.exit("Use: python deploy/compile.py FOLDER")
    if sys.argv[1] == COMPILE:
        _compile_here()
        return
    folder = Path(sys.argv[1]).resolve()
    mark, made_of = folder / MADE_OF, _fingerprint()
    if mark.exists() and mark.read_text() == made_of:
        return
    if folder.exists() and not mark.exists() and any(folder.iterdir()):
        sys.exit(f"relance: {folder} holds something else: name a folder of its own.")
    _check_compiler()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.touch()  # one that is cut short is made again
    for package in PACKAGES:
        without = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=without)
    _compile(folder)
    mark.write_text(made_of)


def modules() -> list[str]:
    """The files that are compiled."""
    core = sorted(path for path in (ROOT / CORE).glob("*.py") if path.stem not in MODELS)
    return [f"{CORE}/{path.name}" for path in core] + list(BESIDE)


def _compile(folder: Path) -> None:
    """In a process of its own, of which only a failure is told: mypyc and gcc say a lot."""
    log = folder / "compile.log"
    with log.open("w") as told:
        done = subprocess.run(
            [sys.executable, __file__, COMPILE], cwd=folder, stdout=told, stderr=told, check=False
        )
    if done.returncode != 0:
        last = "\n".join(log.read_text().splitlines()[-30:])
        sys.exit(f"{last}\nrelance: the core could not be compiled, see {log}.")
    log.unlink()


def _compile_here() -> None:
    """The modules of the working directory: named by where they lie, and put there."""
    from mypyc.build import mypycify  # noqa: PLC0415 - as a rule the copy is there already
    from setuptools import setup  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as rest:
        setup(
            name="relance",
            packages=[],
            script_args=["build_ext", "--inplace", "--build-lib", rest, "--build-temp", rest],
            ext_modules=mypycify(
                ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", rest, *modules()],
                opt_level=os.environ.get("RELANCE_COMPILE_LEVEL", "3"),
                debug_level="0",
                multi_file=True,
                target_dir=rest,
            ),
        )


def _check_compiler() -> None:
    headers = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if shutil.which("gcc") is None or not headers.exists():
        sys.exit(
            "relance: to compile, gcc and Python's headers are needed: install them "
            "(Debian: apt-get install gcc libc6-dev python3-dev)."
        )


def _fingerprint() -> str:
    digest = sha256(f"{sys.version} {os.environ.get('RELANCE_COMPILE_LEVEL')}".encode())
    for path in _sources():
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield Path(__file__)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                yield path


if __name__ == "__main__":
    main()
