"""How gunicorn serves the order API; it reads this file by itself when started in this folder."""

import os
from typing import Any

from chalicelib.bootstrap import exit_unless_startable

bind = os.environ.get("BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = int(os.environ.get("WEB_THREADS", "8"))
keepalive = 75
timeout = 30
# Requests take milliseconds; a worker that was just starting misses the signal and waits this long.
graceful_timeout = 10
# An access log of gunicorn's would hold paths, and with them order ids; the API writes its own.
accesslog = None
control_socket_disable = True


def on_starting(_server: Any) -> None:
    """Stop with code 2 before any worker starts if a setting or the store's schema is wrong."""
    exit_unless_startable()
