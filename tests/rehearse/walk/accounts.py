"""Accounts: people register, sign in, change their accounts, and are managed by operators."""

import base64
import hashlib
import hmac
import secrets
import struct
import time
import zlib

from caller import Caller, equal, soon
from steps import Part, Where
from walk.workers.events import arrived, inside
from world import Body, World

PART = Part()
# The bytes that every JPEG begins with.
JPEG = b"\xff\xd8\xff"
STEP = 30


def password() -> str:
    """A password that can't be guessed."""
    return secrets.token_urlsafe(18)


def picture() -> bytes:
    """A picture: a PNG of one grey pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\x7f"))
            + chunk(b"IEND", b""))


def code(secret: str, step: int) -> str:
    """The code that an authenticator app shows in a time step (RFC 6238)."""
    key = base64.b32decode(secret)
    mac = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    start = mac[-1] & 15
    number = struct.unpack(">I", mac[start:start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def mailed(world: World, to: str, subject: str, last: str = "") -> str:
    """Waits for an e-mail with a link other than the last one, and returns the token of its link."""
    world.expect_mail(to, subject)
    token: str = inside(world).until(f"a link for {to}", lambda: {inside(world).token(to)} - {"", last} or None).pop()
    return token


def told(world: World, to: str, subject: str) -> None:
    """Waits for a notice by e-mail."""
    mail = (to, subject)
    world.expect_mail(*mail)
    inside(world).until(f"an e-mail {subject!r}", lambda: inside(world).mails()[mail] >= world.mails[mail])


def sign_in(world: World, email: str, secret: str, **members: str) -> Caller:
    """Signs in, and returns a caller in the new session."""
    body: Body = {"email": email, "password": secret, **members}
    return world.nobody.with_key(world.nobody.post("/v1/auth/login", body).expect(200).json["token"])


def ada(world: World) -> Caller:
    """The person who registered, in a session."""
    return world.nobody.with_key(world.made["session"])


@PART.step("a person registers, confirms the address, and signs in", Where.INSIDE)
def register(world: World) -> None:
    email, secret = world.email("ada"), password()
    body = {"email": email}
    equal("received", world.nobody.post("/v1/auth/register", body).expect(202).json, {"status": "received"})
    token = mailed(world, email, "Confirm your e-mail address for Purser")
    login = {"email": email, "password": secret}
    world.nobody.post("/v1/auth/login", login).refused(401, "invalid_credentials")
    chosen = {"token": token, "password": secret, "name": "Ada Lovelace"}
    equal("confirmed", world.nobody.post("/v1/auth/confirm", chosen).expect(200).json["status"], "confirmed")
    world.nobody.post("/v1/auth/confirm", chosen).refused(422, "invalid_token")
    world.made["password"], world.made["session"] = secret, sign_in(world, email, secret).key


@PART.step("a signed-in user sees the own account, but nothing of any reseller", Where.INSIDE)
def me(world: World) -> None:
    seen = ada(world).get("/v1/me").expect(200).json
    equal("the account", (seen["email"], seen["name"], seen["roles"]), (world.email("ada"), "Ada Lovelace", []))
    equal("renamed", ada(world).patch("/v1/me", {"name": "Ada King"}).expect(200).json["name"], "Ada King")
    ada(world).get("/v1/clients").refused(403, "forbidden")
    world.operator.get("/v1/me").refused(403, "forbidden")
    world.made["ada"] = seen["refid"]


@PART.step("a picture is stored as a small JPEG", Where.INSIDE)
def avatar(world: World) -> None:
    ada(world).get("/v1/me/avatar").refused(404, "not_found")
    ada(world).put("/v1/me/avatar", picture()).expect(204)
    shown = ada(world).get("/v1/me/avatar").expect(200)
    equal("its type", shown.headers.get("content-type"), "image/jpeg")
    equal("its beginning", shown.body[:3], JPEG)
    ada(world).delete("/v1/me/avatar").expect(204)


@PART.step("a second factor is required once it is on", Where.INSIDE)
def second_factor(world: World) -> None:
    email, secret = world.email("ada"), world.made["password"]
    offered = ada(world).send("POST", "/v1/me/totp", {"password": secret}).expect(200).json["secret"]
    step = int(time.time()) // STEP
    enabled = ada(world).put("/v1/me/totp", {"code": code(offered, step)}).expect(200).json
    ada(world).get("/v1/me").refused(401, "unauthenticated")
    told(world, email, "Two-step sign-in was turned on for your Purser account")
    login = {"email": email, "password": secret}
    world.nobody.post("/v1/auth/login", login).refused(401, "second_factor_required")
    world.made["session"] = sign_in(world, email, secret, code=enabled["recovery_codes"][0]).key
    # A new device, because the sign-in carries no token of a known one.
    told(world, email, "New sign-in to your Purser account")
    ada(world).send("DELETE", "/v1/me/totp", {"password": secret, "code": enabled["recovery_codes"][1]}).expect(204)
    told(world, email, "Two-step sign-in was turned off for your Purser account")
    world.made["session"] = sign_in(world, email, secret).key
    told(world, email, "New sign-in to your Purser account")


@PART.step("a password is changed, then forgotten and set by e-mail", Where.INSIDE)
def passwords(world: World) -> None:
    email, secret, new = world.email("ada"), world.made["password"], password()
    changed = ada(world).put("/v1/me/password", {"password": secret, "new_password": new}).expect(200).json
    ada(world).get("/v1/me").refused(401, "unauthenticated")
    told(world, email, "Your Purser password was changed")
    world.made["session"] = changed["token"]
    last = inside(world).token(email)
    world.nobody.post("/v1/auth/forgot-password", {"email": email}).expect(202)
    token = mailed(world, email, "Reset your Purser password", last)
    form = f"token={token}&password={secret}&repeated={secret}"
    shown = world.nobody.send("POST", "/customer/reset-password", form).expect(200)
    equal("told", "<h1>Your password is set</h1>" in shown.body.decode(), True)
    ada(world).get("/v1/me").refused(401, "unauthenticated")
    told(world, email, "Your Purser password was changed")
    world.made["session"] = sign_in(world, email, secret).key
    told(world, email, "New sign-in to your Purser account")


@PART.step("an address changes once its owner has confirmed it", Where.INSIDE)
def address(world: World) -> None:
    old, new, secret = world.email("ada"), world.email("ada-new"), world.made["password"]
    ada(world).put("/v1/me/email", {"email": new, "password": secret}).expect(202)
    token = mailed(world, new, "Confirm your new e-mail address for Purser")
    told(world, old, "A new e-mail address was requested for your Purser account")
    equal("still", ada(world).get("/v1/me").expect(200).json["email"], old)
    world.nobody.send("POST", "/customer/confirm-email", f"token={token}&password=wrong").expect(422)
    shown = world.nobody.send("POST", "/customer/confirm-email", f"token={token}&password={secret}").expect(200)
    equal("told", "<h1>Your e-mail address was changed</h1>" in shown.body.decode(), True)
    told(world, old, "The e-mail address of your Purser account was changed")
    ada(world).get("/v1/me").refused(401, "unauthenticated")
    world.made["session"] = sign_in(world, new, secret).key
    equal("moved", ada(world).get("/v1/me").expect(200).json["email"], new)
    told(world, new, "New sign-in to your Purser account")


@PART.step("sessions and sign-ins are listed, and a session is ended", Where.INSIDE)
def sessions(world: World) -> None:
    email, secret = world.email("ada-new"), world.made["password"]
    other = sign_in(world, email, secret)
    told(world, email, "New sign-in to your Purser account")
    (found,) = [it["id"] for it in other.get("/v1/me/sessions").expect(200).json["data"] if it["current"]]
    soon("sign-ins", lambda: len(other.get("/v1/me/logins").expect(200).json["data"]), 6)
    ada(world).delete(f"/v1/me/sessions/{found}").expect(204)
    other.get("/v1/me").refused(401, "unauthenticated")


@PART.step("an operator invites a user, who works for a reseller in a session", Where.INSIDE)
def users(world: World) -> None:
    email, secret = world.email("grace"), password()
    body = {"email": email, "name": "Grace Hopper", "reseller": world.elite.refid}
    made = world.operator.post("/v1/users", body).expect(201).json
    token = mailed(world, email, "Your invitation to Purser")
    world.nobody.post("/v1/auth/reset-password", {"token": token, "password": secret}).expect(200)
    grace = sign_in(world, email, secret)
    equal("her reseller", grace.get(world.elite.path).expect(200).json["refid"], world.elite.refid)
    grace.get(world.other.path).refused(404, "not_found")
    soon("her colleagues", lambda: made["refid"] in grace.get("/v1/users").refids(), True)
    world.operator.patch(f"/v1/users/{made['refid']}", {"reseller": None}).expect(200)
    grace.get(world.elite.path).refused(401, "unauthenticated")
    path = f"/v1/users/{made['refid']}"
    equal("kept out", world.operator.post(f"{path}/suspend").expect(200).json["status"], "suspended")
    world.nobody.post("/v1/auth/login", {"email": email, "password": secret}).refused(401, "invalid_credentials")
    equal("let in", world.operator.post(f"{path}/activate").expect(200).json["status"], "active")
    soon("her sign-ins", lambda: len(world.operator.get(f"{path}/logins").expect(200).json["data"]), 1)
    world.operator.delete(path).expect(204)


@PART.step("a session ends by signing out, and a deleted user is gone", Where.INSIDE)
def leave(world: World) -> None:
    ada(world).post("/v1/auth/logout").expect(204)
    ada(world).get("/v1/me").refused(401, "unauthenticated")
    world.operator.delete(f"/v1/users/{world.made['ada']}").expect(204)
    world.operator.get(f"/v1/users/{world.made['ada']}").refused(404, "not_found")
    arrived(world, "")
