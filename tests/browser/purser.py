"""A Purser of its own for each class of tests, and a browser that looks at it.

Invariant: Purser keeps nothing and listens on a free port, so that tests do not meet each other's data.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import threading
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "debug" / "purser"
KEY = "the operator's key, any string"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A name that the browser takes for this machine, as a page's owner can arrange it in DNS.
REBOUND = "rebound.example"


def browser_path() -> str:
    """The browser of this machine."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise FileNotFoundError(f"there is no browser: install one of {', '.join(BROWSERS)}")
    return found


class Site:
    """Empty pages on a port of their own: what somebody else's site is to Purser."""

    def __init__(self) -> None:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<!doctype html><title>Somebody's page</title>")

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.origin = f"http://localhost:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Purser:
    """A running `purser --ephemeral`."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        environment = {**os.environ, "PURSER_OPERATOR_KEY": KEY, **variables}
        command = [str(BINARY), "--ephemeral", "--no-demo", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise AssertionError("".join(said))
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.origin = f"http://127.0.0.1:{self.port}"

    def call(self, method: str, path: str, body: Any = None, key: str = KEY) -> Any:
        """Calls Purser as a program does. An answer that is not 2xx is an error."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json",
                   "Idempotency-Key": secrets.token_hex(8)}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


class BrowserTest(unittest.TestCase):
    """Tests with a browser and a Purser, both shared by the class."""

    # Environment variables of Purser.
    variables: dict[str, str] = {}
    purser: Purser
    browser: Browser

    @classmethod
    def setUpClass(cls) -> None:
        cls.purser = Purser(**cls.variables)
        cls.addClassCleanup(cls.purser.close)
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
        cls.browser = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        cls.addClassCleanup(cls.browser.close)

    def page(self, **options: Any) -> Page:
        """A page of a browser that nobody has used before."""
        context: BrowserContext = self.browser.new_context(**options)
        self.addCleanup(context.close)
        return context.new_page()
