"""The pages as people meet them: on a phone and on a desktop, in the light and in the dark, also without scripts."""

import re
import unittest
from typing import Any

from playwright.sync_api import Page, expect
from purser import ROOT, BrowserTest

PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
PASSWORD = "a quiet harbour at dusk"
SHOTS = ROOT / "target" / "screenshots"


class Pages(BrowserTest):
    """Every page of the laptop and of the links in e-mails."""

    def open(self, path: str, **options: Any) -> tuple[Page, list[str]]:
        """A page, and a list of what its browser complains of."""
        page, complaints = self.page(**options), []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"{request.url}: {request.failure}"))
        page.goto(self.purser.origin + path)
        return page, complaints

    def invite(self, email: str) -> str:
        """Invites somebody. Returns the path of the link that they are mailed."""
        self.purser.call("POST", "/v1/users", {"email": email, "name": "Ada Lovelace"})
        for _ in range(100):
            mails = self.purser.call("GET", "/_local/mails")["data"]
            if found := next((it for it in mails if email in str(it["to"])), None):
                link = re.search(r"https?://[^\s/]+(/customer/\S+\?token=[\w.-]+)", found["text"])
                assert link is not None, found
                return link[1]
        raise AssertionError("no e-mail came")

    def test_each_page_fits_and_complains_of_nothing(self) -> None:
        link = self.invite("shown@example.com")
        paths = {"home": "/", "docs": "/docs", "mailbox": "/_local/mailbox", "reset": link,
                 "confirm": "/customer/confirm?token=x", "confirm-email": "/customer/confirm-email?token=x"}
        SHOTS.mkdir(parents=True, exist_ok=True)
        for name, path in paths.items():
            for view in (PHONE, DESKTOP):
                for scheme in ("light", "dark"):
                    with self.subTest(f"{name} {view['width']} {scheme}"):
                        page, complaints = self.open(path, viewport=view, color_scheme=scheme)
                        page.wait_for_load_state("networkidle")
                        page.screenshot(path=SHOTS / f"{name}-{view['width']}-{scheme}.png", full_page=True)
                        self.assertEqual(complaints, [])
                        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                        self.assertLessEqual(wide, 0, "the page must not scroll sideways")
                        self.assertTrue(page.title())

    def choose(self, page: Page, password: str) -> None:
        """Fills in and sends the form for a new password."""
        for name in ("password", "repeated"):
            page.locator(f"input[name={name}]").fill(password)
        page.get_by_role("button", name="Set password").click()

    def test_a_mailed_link_sets_a_password_without_scripts(self) -> None:
        page, _ = self.open(self.invite("ada@example.com"), java_script_enabled=False)
        self.choose(page, "password1234")
        expect(page.get_by_role("alert")).to_be_visible()
        self.choose(page, PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_contain_text("password")
        login = {"email": "ada@example.com", "password": PASSWORD}
        self.assertTrue(self.purser.call("POST", "/v1/auth/login", login)["token"])

    def test_the_document_is_shown_and_keeps_no_key(self) -> None:
        page, complaints = self.open("/docs")
        expect(page.get_by_text("/v1/clients", exact=True).first).to_be_visible()
        page.get_by_role("button", name="Authorize").first.click()
        page.get_by_role("textbox").first.fill("a key")
        page.get_by_role("button", name="Apply credentials").first.click()
        self.assertEqual(page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"),
                         '[{},{},""]')
        self.assertEqual(complaints, [])

    def test_the_first_page_leads_to_the_others(self) -> None:
        page, _ = self.open("/")
        for name in ("mail", "document"):
            self.assertGreater(page.get_by_role("link", name=re.compile(name, re.IGNORECASE)).count(), 0, name)


if __name__ == "__main__":
    unittest.main()
