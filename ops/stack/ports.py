"""Ports on 127.0.0.1: the ones people expect where they are free, others where they are not."""

import errno
import socket
from dataclasses import dataclass

from ops.stack.progress import Progress

HOST = "127.0.0.1"
BACKLOG = 128


class PortTaken(Exception):
    """A port that was asked for by name belongs to another program."""


@dataclass(frozen=True, slots=True)
class Port:
    """Where a program would like to listen. `wanted` is what the operator set, if anything."""

    name: str
    preferred: int
    wanted: int | None = None

    def listen(self, progress: Progress) -> socket.socket:
        """A listening socket: on the wanted port or not at all, else preferred, else a free one.

        Raises:
            PortTaken: the wanted port belongs to another program.
        """
        found = _listen(self.preferred if self.wanted is None else self.wanted)
        if found is not None:
            return found
        if self.wanted is not None:
            raise PortTaken(
                f"{self.name}: port {self.wanted} on {HOST} is taken by another program. Stop it,"
                f" or set {self.name} to another port."
            )
        free = _listen(0)
        if free is None:
            raise PortTaken(f"{self.name}: no port on {HOST} is free.")
        progress.note(f"{self.name}: port {self.preferred} is taken, using {port_of(free)}")
        return free

    def pick(self, progress: Progress) -> int:
        """Like `listen`, for a program that has to open the port itself."""
        with self.listen(progress) as found:
            return port_of(found)


def port_of(listening: socket.socket) -> int:
    """The port a socket listens on."""
    port: int = listening.getsockname()[1]
    return port


def _listen(port: int) -> socket.socket | None:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return listening
