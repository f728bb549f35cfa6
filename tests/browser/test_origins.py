"""What pages of other origins can do to Purser, from a real browser: read the API where they are allowed to, and ask
about a licence by its key from anywhere; nothing else."""

import json
import unittest
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from playwright.sync_api import Page
from purser import KEY, REBOUND, BrowserTest, Site

# Sends a request as a page's script does. Answers what the page learns: the status and some headers, or nothing.
FETCH = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options);
        const named = ["etag", "x-request-id", "purser-signature"].map((name) => [name, answer.headers.get(name)]);
        return { status: answer.status, type: answer.type, text: await answer.text(), ...Object.fromEntries(named) };
    } catch (error) {
        return { status: 0, type: "failed", text: String(error) };
    }
}"""
# Sends a form as a page's button does, and waits until the browser has shown the answer.
FORM = """([url, name, value]) => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: url, enctype: "text/plain" });
    const field = Object.assign(document.createElement("input"), { name, value });
    form.append(field);
    document.body.append(form);
    form.submit();
}"""
JSON = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "Idempotency-Key": "k"}


class Origins(BrowserTest):
    """Two sites: one that Purser allows, and one that it does not know."""

    allowed: ClassVar[Site]
    other: ClassVar[Site]

    @classmethod
    def setUpClass(cls) -> None:
        cls.allowed, cls.other = Site(), Site()
        cls.addClassCleanup(cls.allowed.close)
        cls.addClassCleanup(cls.other.close)
        cls.variables = {"PURSER_ALLOWED_ORIGINS": cls.allowed.origin}
        super().setUpClass()

    def at(self, origin: str) -> Page:
        page = self.page()
        page.goto(origin)
        return page

    def fetch(self, page: Page, path: str, **options: Any) -> dict[str, Any]:
        got: dict[str, Any] = page.evaluate(FETCH, [self.purser.origin + path, options])
        return got

    def ahead(self) -> float:
        """By how many hours Purser's clock is ahead of this machine's."""
        told = self.purser.call("POST", "/_local/clock", {"advance": "PT0S"})["now"]
        return round((datetime.fromisoformat(told) - datetime.now(UTC)).total_seconds() / 3600)

    def test_any_page_asks_about_a_licence_and_reads_nothing_else(self) -> None:
        page = self.at(self.other.origin)
        asked = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": '{"key": "no key"}'}
        told = self.fetch(page, "/v1/licences/validate", **asked)
        self.assertEqual((told["status"], '"code":"not_found"' in told["text"]), (200, True), told)
        # It can verify the answer, too.
        signing = self.fetch(page, "/v1/signing-keys")
        (key,) = json.loads(signing["text"])["data"]
        self.assertIn(f'kid="{key["kid"]}"', told["purser-signature"])
        listed = self.fetch(page, "/v1/licences", headers={"Authorization": JSON["Authorization"]})
        self.assertEqual(listed["status"], 0, listed)

    def test_an_allowed_page_reads_and_changes_by_the_api(self) -> None:
        page = self.at(self.allowed.origin)
        body = '{"name": "Acme GmbH", "email": "billing@acme.example"}'
        made = self.fetch(page, "/v1/clients", method="POST", headers=JSON, body=body)
        self.assertEqual(made["status"], 201, made)
        self.assertTrue(made["etag"], "the page must see the version")
        self.assertIsNone(made["x-request-id"], "nothing is shown that is not listed")
        listed = self.fetch(page, "/v1/clients", headers={"Authorization": JSON["Authorization"]})
        self.assertIn("billing@acme.example", listed["text"])
        self.assertEqual(self.fetch(page, "/openapi.json")["status"], 200)
        self.assertEqual(self.fetch(page, "/v1/auth/captcha")["status"], 200)
        # A refusal is readable, too.
        self.assertEqual(self.fetch(page, "/v1/clients")["status"], 401)

    def test_an_allowed_page_sends_no_cookies_and_reads_nothing_else(self) -> None:
        page = self.at(self.allowed.origin)
        for path, options in [
            ("/v1/clients", {"credentials": "include", "headers": {"Authorization": JSON["Authorization"]}}),
            ("/customer/confirm?token=x", {}),
            ("/_local/mails", {}),
            ("/_local/clock", {"method": "POST", "headers": JSON, "body": '{"advance": "P1D"}'}),
            ("/", {}),
        ]:
            with self.subTest(path):
                self.assertEqual(self.fetch(page, path, **options)["type"], "failed")

    def test_another_page_reads_and_changes_nothing(self) -> None:
        page = self.at(self.other.origin)
        key = {"Authorization": JSON["Authorization"]}
        for path, options in [
            ("/v1/clients", {"headers": key}),
            ("/v1/clients", {"method": "POST", "headers": JSON, "body": '{"name": "x", "email": "x@example.com"}'}),
            ("/v1/auth/captcha", {}),
            ("/openapi.json", {}),
            ("/health", {}),
            ("/_local/mails", {}),
            ("/_local/clock", {"method": "POST", "headers": JSON, "body": '{"advance": "P1D"}'}),
        ]:
            with self.subTest(path):
                self.assertEqual(self.fetch(page, path, **options)["type"], "failed")
        # Without asking first, a page may send a few kinds of requests, whose answers it can't read.
        for path in ("/_local/clock", "/_local/schedules/rollup/run", "/_local/dead-letters/redrive"):
            sent = self.fetch(page, path, method="POST", mode="no-cors", body='{"advance": "P1D"}')
            self.assertEqual(sent["type"], "opaque", path)
        self.assertEqual(self.ahead(), 0)
        self.assertNotIn("x@example.com", str(self.purser.call("GET", "/v1/clients")))

    def test_forms_of_other_pages_are_refused(self) -> None:
        for site in (self.other, self.allowed):
            for path in ("/_local/clock", "/_local/schedules/rollup/run", "/customer/confirm", "/v1/auth/login"):
                with self.subTest(f"{site.origin} {path}"):
                    page = self.at(site.origin)
                    with page.expect_navigation() as navigation:
                        page.evaluate(FORM, [self.purser.origin + path, '{"advance":"P1D","x":"', '"}'])
                    self.assertIn(navigation.value.status, (403, 415), path)
        self.assertEqual(self.ahead(), 0)

    def test_a_name_that_leads_here_is_not_enough(self) -> None:
        """A page's owner may let a name of theirs lead to this machine, and the page is of Purser's origin then."""
        page = self.page()
        for path in ("/", "/_local/mails", "/_local/mailbox", "/docs", "/health", "/v1/clients"):
            answer = page.goto(f"http://{REBOUND}:{self.purser.port}{path}")
            assert answer is not None
            self.assertEqual(answer.status, 403, path)
        sent = page.evaluate(FETCH, ["/_local/clock", {"method": "POST", "headers": JSON, "body": '{"advance":"P1D"}'}])
        self.assertEqual(sent["status"], 403)

    def test_purser_listens_once(self) -> None:
        """On one port of this machine; the table, the bus and the post office have none."""
        process = Path(f"/proc/{self.purser.process.pid}")
        sockets = {str(handle.readlink()) for handle in (process / "fd").iterdir() if handle.is_symlink()}
        own = []
        for table in ("tcp", "tcp6"):
            for line in (process / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                # 0A is the state of a socket that listens.
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                    address, port = fields[1].split(":")
                    own.append((address, int(port, 16)))
        self.assertEqual(own, [("0100007F", self.purser.port)])


if __name__ == "__main__":
    unittest.main()
