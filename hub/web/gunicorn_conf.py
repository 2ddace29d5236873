"""The web server's configuration; every value that a deployment may change comes from the settings.

Knows gunicorn's names. Must not preload the application: connections are opened after the fork.
"""

from __future__ import annotations

from typing import Any

from hub.logs import Unquoted
from hub.settings import Settings

_settings = Settings.from_env()

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_workers
threads = _settings.web_threads
worker_class = "gthread"
preload_app = False
# Signals are enough; without a writable home its folder could not even be made.
control_socket_disable = True
# Longer than the longest wait for a region, so that a slow region is answered with a problem and not with a cut line.
timeout = _settings.region_timeout_seconds + 30
graceful_timeout = 30
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
# What a header may hold before the request is refused; the signatures of RFC 9421 fit well.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190
# Only a proxy on the same machine may say where a request came from.
forwarded_allow_ips = "127.0.0.1"
# Not even a proxy may move the path: a participant signed it as it was sent.
forwarder_headers = ""
# The application writes the access log, without personal data.
accesslog = None
errorlog = "-"
loglevel = _settings.log_level.lower()


def on_starting(server: Any) -> None:
    """Of a request that it cannot read the server's own log tells what is wrong, and quotes nothing."""
    for handler in server.log.error_log.handlers:
        handler.addFilter(Unquoted())
