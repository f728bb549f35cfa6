"""The pages behind the links in e-mails."""

from caller import Reply, equal
from steps import Part
from world import World

PART = Part()
SECRETS = "&password=a+long+secret&repeated=a+long+secret"
PAGES = (
    ("/customer/confirm", "Confirm your e-mail address", SECRETS),
    ("/customer/confirm-email", "Confirm your new e-mail address", "&password=a+secret"),
    ("/customer/reset-password", "Choose a password", SECRETS),
)


def page(reply: Reply, status: int, heading: str) -> None:
    """Asserts that this is a page with this heading, and that it restricts what the browser may do."""
    headers = reply.expect(status).headers
    equal("content type", headers.get("content-type"), "text/html; charset=utf-8")
    equal("cache control", headers.get("cache-control"), "no-store")
    equal("policy", headers.get("content-security-policy", "")[:19], "default-src 'none';")
    equal(f"{reply.asked} says {heading}", f"<h1>{heading}</h1>" in reply.body.decode(), True)


@PART.step("a link in an e-mail leads to a page")
def shown(world: World) -> None:
    for path, heading, _ in PAGES:
        page(world.nobody.get(f"{path}?token=unknown"), 200, heading)


@PART.step("a form with an unknown token is answered with a page that says so")
def unknown_token(world: World) -> None:
    for path, _, form in PAGES:
        page(world.nobody.send("POST", path, f"token=unknown{form}"), 422, "This link no longer works")


@PART.step("a page with another method is refused")
def unknown_method(world: World) -> None:
    refused = world.nobody.delete("/customer/confirm").expect(405)
    equal("Allow", refused.headers.get("allow"), "GET, HEAD, POST")
    equal("a page", "<h1>Page not found</h1>" in refused.body.decode(), True)
