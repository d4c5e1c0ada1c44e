"""What systemd is told by a service of `Type=notify`: ready, alive, stopping (sd_notify(3))."""

import contextlib
import socket
from collections.abc import Callable, Mapping

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


def notifier(environ: Mapping[str, str]) -> Callable[[str], None]:
    """Sends a state to `NOTIFY_SOCKET`; does nothing where that is not set.

    A state that cannot be sent is dropped: the service matters more than its supervision.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return lambda _state: None
    # A leading @ stands for the zero byte of Linux's abstract names.
    path = "\0" + address[1:] if address.startswith("@") else address

    def notify(state: str) -> None:
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd,
        ):
            to_systemd.setblocking(False)
            to_systemd.sendto(state.encode(), path)

    return notify
