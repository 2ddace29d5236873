"""A real browser before the little world: Chromium, driven by Playwright, against the application on a local port.

Without a Chromium these tests skip and say so; the plain checks in tests/web/test_pages_shape.py always run.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Connection
from werkzeug.serving import make_server

from hub.settings import Settings
from tests.web.conftest import Api
from tests.web.visitor import load_areas

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
NARROWEST = {"width": 320, "height": 640}


def find_chromium() -> str | None:
    """A Chromium of the system: the one named by HUB_CHROMIUM, or the first known name on the path."""
    import os

    named = os.environ.get("HUB_CHROMIUM")  # noqa: TID251 - a tool of the tests, not a setting of the hub.
    if named:
        return named
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium found: install one (Debian: apt-get install chromium) or name it in HUB_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe_source() -> str:
    return Path(AXE_FILE_PATH).read_text(encoding="utf-8")


@pytest.fixture
def web_settings() -> Settings:
    return Settings.from_env({})


@contextmanager
def serving(api: Api) -> Iterator[str]:
    """The application on a free port; gives its address."""
    server = make_server("127.0.0.1", 0, api.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def address(api: Api, owner: Connection) -> Iterator[str]:
    """The application on a free port."""
    load_areas(owner)
    with serving(api) as found:
        yield found


@pytest.fixture
def phone(chromium: Browser, address: str) -> Iterator[Page]:
    """A patient's phone, without JavaScript: the pages have none, and need none."""
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, locale="zh-CN", base_url=address)
    yield context.new_page()
    context.close()


@pytest.fixture
def desk(chromium: Browser, address: str) -> Iterator[Page]:
    """An officer's screen."""
    context = chromium.new_context(viewport=DESK, locale="zh-CN", base_url=address)
    yield context.new_page()
    context.close()
