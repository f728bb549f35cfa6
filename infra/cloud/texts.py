"""What is in each secret: as it is made, as it is split from the one secret of earlier versions, and what may be said.

shared/store/src/engine/secrets has the same forms.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import subprocess
import time
from typing import Any

SEALS = ("factors", "records", "licences")
# Made when they are wanted: nothing that is stored needs them, and each costs something.
LATER = ("edge", "captcha")
# `ids` is made last: without it, an earlier run was interrupted.
PURPOSES = (*SEALS, "passes", "signing", "ids")
# What signs answers to programs, and its public half, in the order in which they are made.
FOR_PROGRAMS = ("answers", "published")
ALL = (*PURPOSES, *FOR_PROGRAMS, *LATER)
# A private key of Ed25519 in PKCS #8, without its 32 bytes (RFC 8410).
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")


class NoPublicKey(Exception):
    """OpenSSL did not say which public key belongs to a private one."""


def new_key() -> str:
    """32 random bytes."""
    return secrets.token_hex(32)


def new(purpose: str) -> dict[str, Any]:
    """A new secret."""
    if purpose in SEALS:
        return {"keys": [{"id": 1, "key": new_key(), "from": 0}]}
    if purpose == "signing":
        return {"keys": [new_key()]}
    if purpose == "edge":
        return {"sent": new_key()}
    if purpose == "answers":
        return {"keys": [{"key": new_key(), "from": int(time.time())}]}
    return {"cursors": new_key(), "devices": new_key()} if purpose == "passes" else {"key": new_key()}


def split(purpose: str, root: bytes) -> dict[str, Any]:
    """The secret that earlier versions derived from their only one. shared/store/src/engine/secrets says the same."""

    def derived(what: str) -> str:
        return hmac.new(root, len(what).to_bytes(8, "big") + what.encode(), hashlib.sha256).hexdigest()

    if purpose in SEALS:
        return {"keys": [{"id": 0, "key": derived("purser seal 1"), "from": 0}]}
    if purpose == "signing":
        # Every function could derive the first key. The next one signs once a checkpoint has announced it.
        return {"keys": [derived("purser checkpoints 1"), new_key()]}
    if purpose == "passes":
        return {"cursors": derived("purser cursors 1"), "devices": derived("purser devices 1")}
    return {"key": derived("purser ids 1")}


def public_half(key: str) -> str:
    """The public half of a key, in base64url without padding."""
    run = ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"]
    try:
        done = subprocess.run(run, input=PKCS8 + bytes.fromhex(key), capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NoPublicKey("OpenSSL 1.1.1 or later is needed: there is no command `openssl`") from error
    # Twelve bytes that say what it is stand before the key.
    if done.returncode or len(done.stdout) != 44:
        raise NoPublicKey(f"OpenSSL 1.1.1 or later is needed: {done.stderr.decode(errors='replace').strip()}")
    return base64.urlsafe_b64encode(done.stdout[12:]).decode().rstrip("=")


def published(answers: dict[str, Any]) -> dict[str, Any]:
    """What everybody may know of the keys that sign answers."""
    return {"keys": [{"use": "answers", "public_key": public_half(it["key"]), "from": it["from"]}
                     for it in answers["keys"]]}


def told(purpose: str, value: dict[str, Any]) -> str:
    """What may be said of a secret."""
    if purpose == "edge":
        return "one value, and the one before it" if "before" in value else "one value"
    if purpose not in SEALS:
        return f"{len(value['keys'])} keys" if purpose == "signing" else "there"
    times = [(key["id"], time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(key["from"]))) for key in value["keys"]]
    return "; ".join(f"key {number} seals from {since} on" if since[:4] != "1970" else f"key {number}"
                     for number, since in times)
