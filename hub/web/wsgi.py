"""The WSGI application for a server process: built in each worker, never before the fork.

Knows the settings. Must not be imported by tests, which build their own.
"""

from __future__ import annotations

from flask import Flask

from hub import logs
from hub.settings import Settings
from hub.web.app import create_app
from hub.wiring import build_app


def make() -> Flask:
    """Build the application from the environment's settings."""
    settings = Settings.from_env()
    logs.configure(settings.log_level)
    return create_app(build_app(settings))
