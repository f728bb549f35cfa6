"""infra/cloud/secrets against an emulated account, far from the region of the edge: what is made later, and when."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import subprocess
import sys
import unittest
import uuid
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import boto3

COMMAND = Path(__file__).parent.parent.parent / "infra" / "cloud" / "secrets"


def command(*arguments: str, given: str = "") -> tuple[int, str]:
    """Runs the command. Returns its exit status and what it prints."""
    run = [sys.executable, str(COMMAND), *arguments]
    done = subprocess.run(run, input=given, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def module() -> ModuleType:
    """The command as a module, to call its functions."""
    loader = importlib.machinery.SourceFileLoader("secrets_command", str(COMMAND))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    found = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(COMMAND.parent))
    loader.exec_module(found)
    return found


class Manager:
    """Secrets Manager, as far as copies go: each look at them finds the next of these statuses."""

    def __init__(self, *statuses: str) -> None:
        self.statuses, self.asked = list(statuses), 0
        self.meta = type("Meta", (), {"region_name": "eu-central-1"})

    def describe_secret(self, **_: Any) -> dict[str, Any]:
        if not self.asked:
            return {}
        status = self.statuses.pop(0)
        return {"ReplicationStatus": [{"Region": "us-east-1", "Status": status, "StatusMessage": "taken"}]}

    def replicate_secret_to_regions(self, **_: Any) -> None:
        self.asked += 1


class Secrets(unittest.TestCase):
    """Each test has a stack of its own."""

    def setUp(self) -> None:
        self.stack = f"s-{uuid.uuid4().hex[:8]}"
        self.manager = boto3.client("secretsmanager")
        self.assertEqual(command("make", self.stack)[0], 0)

    def value(self, purpose: str) -> Any:
        return json.loads(self.manager.get_secret_value(SecretId=f"{self.stack}/{purpose}")["SecretString"])

    def test_what_is_wanted_later_is_made_later(self) -> None:
        status, said = command("list", self.stack)
        self.assertEqual(status, 0, said)
        for purpose in ("edge", "captcha"):
            self.assertIn(f"{self.stack}/{purpose}: not made", said)
        for act in (("rotate", "edge"), ("retire", "edge"), ("rotate", "captcha"), ("retire", "passes")):
            self.assertEqual(command(act[0], self.stack, act[1])[0], 1, act)

    def lose(self, purpose: str) -> None:
        self.manager.delete_secret(SecretId=f"{self.stack}/{purpose}", ForceDeleteWithoutRecovery=True)

    def test_what_signs_answers_is_made_once_for_older_stacks_too(self) -> None:
        self.assertEqual(len(self.value("published")["keys"]), 1)
        for purpose in ("published", "answers"):
            self.lose(purpose)
        status, said = command("make", self.stack)
        self.assertEqual(status, 0, said)
        answers, published = self.value("answers"), self.value("published")
        (private,), (public,) = answers["keys"], published["keys"]
        self.assertNotIn(private["key"], said)
        self.assertEqual((public["use"], public["from"]), ("answers", private["from"]))
        self.assertEqual(command("make", self.stack)[0], 0)
        # The public half is published again if it is lost, and the other one is never replaced.
        self.lose("published")
        self.assertEqual(command("make", self.stack)[0], 0)
        self.assertEqual((self.value("answers"), self.value("published")), (answers, published))
        self.lose("answers")
        status, said = command("make", self.stack)
        self.assertEqual((status, "restore it" in said), (1, True), said)
        self.assertEqual(command("rotate", self.stack, "published")[0], 1)

    def test_the_public_half_is_the_one_that_verifies(self) -> None:
        sys.path.insert(0, str(COMMAND.parent))
        texts = importlib.import_module("texts")
        # The key of the bytes 0 to 31, of which the functions say the same (shared/domain/src/licences/signature.rs).
        half = texts.public_half(bytes(range(32)).hex())
        self.assertEqual(half, "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg")
        with self.assertRaisesRegex(texts.NoPublicKey, "OpenSSL 1.1.1 or later is needed"):
            texts.public_half("00")

    def test_the_secret_of_a_service_comes_from_the_standard_input(self) -> None:
        for given in ("hush hush\n", "another"):
            status, said = command("set", self.stack, "captcha", given=given)
            self.assertEqual(status, 0, said)
            self.assertEqual(self.value("captcha"), {"secret": given.strip()})
            self.assertNotIn("hush", said)
        for bad in ((("captcha",), ""), (("captcha",), " \n"), (("edge",), "x"), ((), "x")):
            self.assertEqual(command("set", self.stack, *bad[0], given=bad[1])[0], 1, bad)
        self.assertEqual(self.value("captcha"), {"secret": "another"})
        self.assertIn("captcha: there", command("list", self.stack)[1])

    def test_a_copy_is_waited_for(self) -> None:
        found = module()
        for statuses, fine in ((("InProgress", "InSync"), True), (("InProgress", "Failed"), False)):
            manager = Manager(*statuses)
            stack = type("Stack", (), {"manager": manager})
            with mock.patch("time.sleep") as slept:
                if fine:
                    found.copied(stack, "s/edge")
                else:
                    with self.assertRaisesRegex(found.Refused, "no copy in us-east-1: taken"):
                        found.copied(stack, "s/edge")
            self.assertEqual((manager.asked, manager.statuses, slept.call_count), (1, [], 2))


if __name__ == "__main__":
    unittest.main()
