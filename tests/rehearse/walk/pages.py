"""The pages behind the links of mails."""

from caller import Reply, equal
from steps import Part
from world import World

PART = Part()
PATHS = ("/customer/confirm", "/customer/reset-password")


def page(reply: Reply, status: int, heading: str) -> None:
    """Asserts that this is a page with such a heading, and that its browser is told what it may not do."""
    headers = reply.expect(status).headers
    equal("content type", headers.get("content-type"), "text/html; charset=utf-8")
    equal("kept", headers.get("cache-control"), "no-store")
    equal("policy", headers.get("content-security-policy", "")[:19], "default-src 'none';")
    equal(f"{reply.asked} says {heading}", f"<h1>{heading}</h1>" in reply.body.decode(), True)


@PART.step("a link of a mail leads to a page")
def shown(world: World) -> None:
    for path, heading in zip(PATHS, ("Confirm your e-mail address", "Choose a password")):
        page(world.nobody.get(f"{path}?token=unknown"), 200, heading)


@PART.step("a form with a token that nobody was sent is told so on a page")
def unknown_token(world: World) -> None:
    for path, form in zip(PATHS, ("token=unknown", "token=unknown&password=a+long+secret&repeated=a+long+secret")):
        page(world.nobody.send("POST", path, form), 422, "This link no longer works")


@PART.step("a page with another method is refused")
def unknown_method(world: World) -> None:
    refused = world.nobody.delete(PATHS[0]).refused(405, "method_not_allowed")
    equal("Allow", refused.headers.get("allow"), "GET, POST")
