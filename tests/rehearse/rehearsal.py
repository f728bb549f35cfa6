"""One rehearsal: a cloud, the template deployed into it, and the walk.

Invariant: the cloud ends with the rehearsal, whether it passed or failed.

Permissions that no function needs are found by `tests/it/template/rights`, which exercises more than a walk can.

A rehearsal can't show what MiniStack does not do: that the stream and the bus deliver again what failed
(`tests/it/events` shows it for the handlers), permissions for KMS keys, who may invoke a function, lagging indexes,
throttling, size limits, and anything about alarms and dashboards except that they can be created.
"""

import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import walk
from caller import Caller, Failure
from deployment.cloud import REGION, Cloud, until
from deployment.stack import NAME, Stack
from steps import MOST_TROUBLES, Outcome, run
from deployment.template import ROOT, Tree
from world import Inside, World

# The deadline for anything that events cause; it usually takes a second or two.
EVENTS = 30.0
# If no function that events invoke shows a sign for this long, none will: MiniStack polls the stream every second.
IDLE = 4.0
SENDER = "purser@example.com"
SECRETS = ROOT / "infra" / "cloud" / "secrets"
# The base of the links in e-mails. Nothing answers there; only the tokens matter.
PUBLIC_URL = "https://purser.example.com/here"
LINK = re.compile(re.escape(PUBLIC_URL) + r"/customer/[a-z-]+\?token=([A-Za-z0-9_-]{43})")
# Every rule that is off by default, so that the walk covers all of them.
SWITCHES = {"AutoBindUser": "true", "PartnerSignUp": "true", "HoldOnLowCredit": "true", "Edge": "accepted"}
DEPLOYED = "the template is deployed"

Say = Callable[[str], None]


class InsideStack(Inside):
    """The view into a stack in MiniStack."""

    def __init__(self, cloud: Cloud, stack: Stack) -> None:
        self.cloud = cloud
        self.stack = stack
        self.functions = stack.functions()
        self.started_by_events = stack.started_by_events()

    def inbox(self) -> list[dict[str, Any]]:
        """All e-mails sent so far, oldest first."""
        told = self.cloud.get("/_ministack/ses/messages")["messages"]
        return [mail for account in told.values() for mail in account]

    def token(self, to: str) -> str:
        links = [LINK.search(mail["BodyText"]) for mail in self.inbox() if to in mail["To"]]
        tokens = [link.group(1) for link in links if link]
        return tokens[-1] if tokens else ""

    def mails(self) -> Counter[tuple[str, str]]:
        mails = self.inbox()
        for mail in mails:
            if SENDER not in mail["Source"]:
                raise Failure(f"an e-mail came from {mail['Source']}")
        return Counter((to, mail["Subject"]) for mail in mails for to in mail["To"])

    def until(self, what: str, done: Callable[[], Any]) -> Any:
        signs, since = -1, time.monotonic()

        def hopeless() -> str:
            nonlocal signs, since
            if troubles := self.troubles():
                return " | ".join(troubles[:MOST_TROUBLES])
            seen = sum(line.get("function") in self.started_by_events for line in self.cloud.lines())
            if seen != signs or not self.cloud.is_quiet():
                signs, since = seen, time.monotonic()
            return f"no event has invoked anything for {IDLE:g} s" if time.monotonic() - since > IDLE else ""

        return until(what, EVENTS, done, hopeless)

    def table(self) -> str:
        """The name of the table."""
        (table,) = self.stack.of_type("AWS::DynamoDB::Table")
        return table

    def items(self, prefix: str) -> int:
        found = self.cloud.client("dynamodb").scan(
            TableName=self.table(), FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": prefix}})
        return int(found["Count"])

    def confirm(self, user: str) -> None:
        key = {"pk": {"S": f"US#{user}"}, "sk": {"S": "."}}
        self.cloud.client("dynamodb").update_item(
            TableName=self.table(), Key=key, UpdateExpression="SET doc.confirmed_at = :now",
            ConditionExpression="attribute_exists(doc.email)",
            ExpressionAttributeValues={":now": {"S": "2026-01-01T00:00:00.000Z"}})

    def appointments(self, prefix: str) -> list[dict[str, Any]]:
        found = self.cloud.client("dynamodb").scan(
            TableName=self.table(), FilterExpression="begins_with(pk, :prefix) AND begins_with(gsi4pk, :due)",
            ExpressionAttributeValues={":prefix": {"S": prefix}, ":due": {"S": "DUE#"}})
        return list(found["Items"])

    def waiting(self, prefix: str) -> int:
        return len(self.appointments(prefix))

    def fall_due(self, prefix: str) -> None:
        then = "2026-01-01T00:00:00.000Z"
        for item in self.appointments(prefix):
            # A key that is to be warned of has expired, too.
            due = "api_key_expired" if prefix.startswith("AK#") else item["gsi4sk"]["S"].partition("#")[2]
            self.cloud.client("dynamodb").update_item(
                TableName=self.table(), Key={"pk": item["pk"], "sk": item["sk"]},
                UpdateExpression="SET gsi4sk = :place, doc.expires_at = :then",
                ExpressionAttributeValues={":place": {"S": f"{then}#{due}"}, ":then": {"S": then}})
        self.invoked("RunDueWork")

    def on_schedule(self) -> list[str]:
        return self.invoked("")

    def invoked(self, only: str) -> list[str]:
        """Invokes the scheduled function of this name, or all, as the schedule does. Returns their names."""
        started = []
        for rule, properties in self.stack.of_type("AWS::Events::Rule").items():
            for target in properties["Targets"] if "ScheduleExpression" in properties else []:
                function = target["Arn"].rpartition(":")[2]
                if only in ("", self.functions[function]):
                    self.stack.awslambda.invoke(FunctionName=function, InvocationType="Event",
                                                Payload=json.dumps(scheduled(rule)))
                    started.append(self.functions[function])
        return started

    def unreached(self) -> list[str]:
        self.until("all functions finish", self.cloud.is_quiet)
        ran = {line["function"] for line in self.cloud.lines() if line["kind"] == "begin"}
        return [logical for name, logical in self.functions.items() if name not in ran]

    def troubles(self) -> list[str]:
        return [self.readable(text) for text in self.cloud.troubles()]

    def logged(self) -> list[str]:
        return [line["text"] for line in self.cloud.lines() if line["kind"] == "log"]

    def readable(self, text: str) -> str:
        """A text in which functions are called by their logical names."""
        for name, logical in self.functions.items():
            text = text.replace(name, logical)
        return text

    def secrets(self, act: str, *arguments: str) -> str:
        return command(self.cloud, act, *arguments)

    def refused_secrets(self, act: str, *arguments: str) -> str:
        return command(self.cloud, act, *arguments, status=1)

    def key_numbers(self, kind: str) -> list[int]:
        found = self.cloud.client("secretsmanager").get_secret_value(SecretId=f"{NAME}/{kind}")
        return [key["id"] for key in json.loads(found["SecretString"])["keys"]]

    def sent_by_edge(self) -> str:
        found = self.cloud.client("secretsmanager").get_secret_value(SecretId=f"{NAME}/edge")
        return str(json.loads(found["SecretString"])["sent"])

    def anew(self) -> None:
        self.until("all functions finish", self.cloud.is_quiet)
        for function, properties in self.stack.of_type("AWS::Lambda::Function").items():
            self.stack.awslambda.update_function_configuration(FunctionName=function, Timeout=properties["Timeout"])

    def dead_letters(self) -> list[str]:
        sqs, s3 = self.cloud.client("sqs"), self.cloud.client("s3")
        letters = []
        for queue in self.stack.of_type("AWS::SQS::Queue"):
            found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            letters += [f"{queue}: {message['Body'][:500]}" for message in found.get("Messages", [])]
        for bucket in self.stack.of_type("AWS::S3::Bucket"):
            found = s3.list_objects_v2(Bucket=bucket)
            letters += [f"{bucket}: {item['Key']}" for item in found.get("Contents", [])]
        return letters


def command(cloud: Cloud, act: str, *arguments: str, status: int = 0) -> str:
    """Runs `infra/cloud/secrets` for the stack, as an operator does, which must end so. Returns what it prints."""
    environment = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": cloud.url, "AWS_DEFAULT_REGION": REGION,
                   "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run([sys.executable, SECRETS, act, NAME, *arguments], env=environment, capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != status:
        raise Failure(f"secrets {act}: {done.stdout} {done.stderr}")
    return done.stderr if status else done.stdout


def split(cloud: Cloud) -> None:
    """Makes the stack's secrets from one of an earlier version, as before the first deployment of this one."""
    made = cloud.client("secretsmanager").create_secret(Name="earlier", SecretString=secrets.token_urlsafe(48))
    command(cloud, "make", "--root", made["ARN"])
    command(cloud, "edge")


def scheduled(rule: str) -> dict[str, object]:
    """The event that EventBridge sends when a rule's schedule is due."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"version": "0", "id": str(uuid.uuid4()), "detail-type": "Scheduled Event", "source": "aws.events",
            "account": "000000000000", "time": now, "region": REGION, "resources": [rule], "detail": {}}


def rehearse(tree: Tree, archives: list[Path], say: Say) -> Outcome:
    """Deploys a template into a fresh cloud and walks through it."""
    key = secrets.token_urlsafe(24)
    parameters = {**SWITCHES, "MailFrom": SENDER, "PublicUrl": PUBLIC_URL,
                  "OperatorKeySha256": hashlib.sha256(key.encode()).hexdigest()}
    waiting = list(walk.steps(inside=True))
    with Cloud() as cloud:
        stack, start = Stack(cloud, tree), time.monotonic()
        try:
            split(cloud)
            stack.deploy(archives, parameters)
            stack.wire(SENDER)
        except Exception as error:  # Any error is the reason why the template can't be deployed.
            say(f"FAILED {time.monotonic() - start:6.2f} s  {DEPLOYED}\n       {error!r}")
            return Outcome(0, len(waiting), DEPLOYED, repr(error))
        say(f"ok     {time.monotonic() - start:6.2f} s  {DEPLOYED}")
        world = World(Caller(cloud.url, stack.host(), key), "{}@example.com", InsideStack(cloud, stack))
        outcome = run(waiting, world, say)
    return Outcome(outcome.passed + 1, outcome.left, outcome.failed, outcome.reason)
