"""The jars of Kafka: fetched once for all checkouts of a user, each checked by its SHA-256."""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from relance.stack.error import StackError
from relance.stack.home import user_cache

VERSION = "4.1.0"
_COORDINATES = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36"
_CHECKSUMS = Path(__file__).with_name("kafka_jars.sha256")

Say = Callable[[str], None]


def kafka_jars(say: Say) -> Path:
    """Return the folder of Kafka's jars, fetching them first if this user has none.

    Raise StackError if they cannot be fetched or are not the ones we know.
    """
    wanted = _wanted()
    folder = user_cache() / f"kafka-{VERSION}-{_digest(_CHECKSUMS)[:8]}"
    if _matches(folder, wanted):
        return folder
    try:
        with _alone(folder):
            if not _matches(folder, wanted):  # whoever we waited for may have fetched them
                say(f"Fetching Kafka {VERSION} ({len(wanted)} jars, 43 MB): once for this user …")
                _fetch(folder, wanted, say)
    except OSError as error:
        raise StackError(
            f"Kafka's jars could not be put into {folder} ({error.strerror or error}): "
            "check the disk, or name another folder with XDG_CACHE_HOME."
        ) from error
    return folder


def _wanted() -> dict[str, str]:
    lines = _CHECKSUMS.read_text().splitlines()
    return {name: checksum for checksum, name in map(str.split, lines)}


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _matches(folder: Path, wanted: dict[str, str]) -> bool:
    if {file.name for file in folder.glob("*.jar")} != wanted.keys():
        return False
    return all(_digest(folder / name) == checksum for name, checksum in wanted.items())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process fetches, the others wait: Maven's local repository, which they share, takes a
    file that another has just put there for an error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path, wanted: dict[str, str], say: Say) -> None:
    """Fill another folder first: half a download is never taken for a whole one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch:
        new = Path(scratch, "jars")
        new.mkdir()
        for jar in _resolve(Path(scratch, "jgo"), len(wanted), say):
            shutil.copy(jar, new / jar.name)
        if not _matches(new, wanted):
            raise StackError(
                "The jars of Kafka that were fetched are not the ones this version was made "
                "with (SHA-256 differs): try again, and if it stays so, look at the repository "
                "that Maven artefacts come from."
            )
        shutil.rmtree(folder, ignore_errors=True)
        new.replace(folder)


def _resolve(cache: Path, count: int, say: Say) -> list[Path]:
    import jgo  # noqa: PLC0415 - slow to import and needed once in a machine's life
    from jgo.maven import PythonResolver  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415
    from requests.exceptions import SSLError  # noqa: PLC0415

    fetched = 0

    @contextmanager
    def progress(name: str, _size: int) -> Iterator[Callable[[int], None]]:
        nonlocal fetched
        yield lambda _bytes: None
        if not name.endswith(".jar"):
            return  # what a jar says it needs comes in files of its own
        fetched += 1
        if fetched % 10 == 0:
            say(f"  {fetched} of {count} jars")

    try:
        resolver = PythonResolver(progress_callback=progress)
        return list(jgo.build(_COORDINATES, cache_dir=cache, resolver=resolver).all_jars)
    except SSLError as error:
        raise StackError(
            "Kafka could not be fetched from Maven Central: its certificate is not one that is "
            "known here. Behind a proxy that signs for it, name the file of its certificates with "
            "REQUESTS_CA_BUNDLE and try again."
        ) from error
    except (RequestException, RuntimeError, ValueError) as error:
        raise StackError(
            "Kafka could not be fetched from Maven Central: this first run needs the Internet, "
            f"later ones do not; check the connection and try again ({type(error).__name__})."
        ) from error
