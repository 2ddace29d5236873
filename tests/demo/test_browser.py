"""The browser without JavaScript fills in what a page asks for, keeps its hidden token and its cookie."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from hub.demo.browser import Browser, PageProblem

FORM = """<html><head><title>not seen</title></head><body><h1>Where?</h1>
<form method="get" action="/search"><input name="city"></form>
<form method="post" action="/answer"><input type="hidden" name="token" value="t-1">
<select name="city"><option value="a">A</option><option value="b" selected>B</option></select>
<input type="radio" name="kind" value="x"><input type="radio" name="kind" value="y" checked>
<input type="checkbox" name="agreed" value="2026-01"><button type="submit">Go</button></form></body></html>"""


class _Site(BaseHTTPRequestHandler):
    posted: list[tuple[dict[str, list[str]], str | None]]

    def do_GET(self):
        if self.path == "/broken":
            return self._answer(500, "<p>out of order</p>")
        return self._answer(200, FORM if self.path == "/" else "<p>thank you</p>", cookie="kept=yes")

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.posted.append((form, self.headers["Cookie"]))
        self.send_response(303)
        self.send_header("Location", "/done")
        self.end_headers()

    def log_message(self, *_):
        """Nothing on the screen of the tests."""

    def _answer(self, status, text, *, cookie=""):
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def site():
    posted = []
    server = HTTPServer(("127.0.0.1", 0), type("Site", (_Site,), {"posted": posted}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", posted
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_form_is_sent_with_what_it_held_what_was_filled_in_and_its_box_ticked(site):
    origin, posted = site
    browser = Browser(origin)
    browser.open("/")

    browser.send(city="a")

    assert posted == [({"token": ["t-1"], "city": ["a"], "kind": ["y"], "agreed": ["2026-01"]}, "kept=yes")]
    assert browser.url == f"{origin}/done"
    assert browser.text == "thank you"


def test_the_fields_of_posted_forms_alone_count_as_asked(site):
    browser = Browser(site[0])

    browser.open("/")

    assert browser.fields == {"token", "city", "kind", "agreed"}


def test_a_form_that_is_not_there_is_named(site):
    browser = Browser(site[0])
    browser.open("/")

    with pytest.raises(PageProblem, match=r"no form with identity: Where\?"):
        browser.send(identity="1")


def test_a_page_that_fails_is_told_with_its_words(site):
    browser = Browser(site[0])

    with pytest.raises(PageProblem, match="answered 500: out of order"):
        browser.open("/broken")
