"""TCP ports of this machine: which are free, which answer, who holds one."""

import random
import socket
from contextlib import closing, suppress
from pathlib import Path

from relance.stack.error import StackError
from relance.stack.family import command_line

LOOPBACK = "127.0.0.1"
_OUR_PORTS = (20_000, 32_000)


def free_port() -> int:
    """Return a TCP port of this machine that nobody listens on now.

    It lies below the range from which the kernel serves outgoing connections, so that none of
    them can take it before we do or while a killed server is being restarted.
    """
    while port_is_busy(port := random.randrange(*_OUR_PORTS)):  # noqa: S311 - not a secret
        pass
    return port


def port_is_busy(port: int) -> bool:
    """Say whether something on this machine already holds the TCP port."""
    with closing(socket.socket()) as probe:
        # As servers do: a port whose last connections are still closing is not busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
        return False


def choose_port(wanted: int, what: str) -> int:
    """Return `wanted` if it is free (0 means any free port); raise StackError if it is busy."""
    if wanted == 0:
        return free_port()
    if port_is_busy(wanted):
        raise StackError(
            f"Port {wanted}, wanted for {what}, is held by {_holder(wanted)}: end that one, "
            "or move all ports of the stack with RELANCE_PORT_BASE."
        )
    return wanted


def answers(port: int) -> bool:
    """Say whether a TCP connection to the port of this machine is accepted."""
    try:
        with closing(socket.create_connection((LOOPBACK, port), timeout=1)):
            return True
    except OSError:
        return False


def _holder(port: int) -> str:
    """Say who listens on a port, as well as the kernel lets us know (Linux only)."""
    wanted = {f"socket:[{inode}]" for inode in _listening(port)}
    for process in Path("/proc").glob("[0-9]*") if wanted else ():
        if wanted & _open_files(process):
            return f"process {process.name} ({command_line(int(process.name))[:60].strip()})"
    return "another program"


def _open_files(process: Path) -> set[str]:
    names = set()
    with suppress(OSError):  # gone, or another user's
        for link in (process / "fd").iterdir():
            with suppress(OSError):  # closed while we look
                names.add(str(link.readlink()))
    return names


def _listening(port: int) -> set[str]:
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            part = line.split()
            if part[3] == "0A" and int(part[1].rpartition(":")[2], 16) == port:  # 0A: LISTEN
                inodes.add(part[9])
    return inodes
