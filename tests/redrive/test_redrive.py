"""infra/cloud/redrive against an emulated account: what it redrives, what it leaves, and what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
import uuid
from pathlib import Path
from typing import Any

import boto3

HERE = Path(__file__).parent
COMMAND = HERE.parent.parent / "infra" / "cloud" / "redrive"
ACCOUNT = "000000000000"
# Part of every failed record and event; must never be printed.
PERSONAL = "Ada Lovelace"


def arn(function: str) -> str:
    return f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:{function}"


def record(name: str, number: int) -> dict[str, Any]:
    """A record of the stream, as Lambda delivers it."""
    return {
        "eventID": uuid.uuid4().hex,
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1767225600.0,
            "Keys": {"pk": {"S": f"CL#{number}"}, "sk": {"S": "."}},
            "NewImage": {"name": {"S": name}, "person": {"S": PERSONAL}},
            "SequenceNumber": str(number),
            "SizeBytes": 190,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def failed_batch(function: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lambda writes to a bucket when it gives up on a batch of stream records."""
    numbers = [it["dynamodb"]["SequenceNumber"] for it in records]
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": arn(function),
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 11,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": None},
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000001573689847184-864758bb",
            "startSequenceNumber": numbers[0],
            "endSequenceNumber": numbers[-1],
            "approximateArrivalOfFirstRecord": "2026-01-01T00:00:00Z",
            "approximateArrivalOfLastRecord": "2026-01-01T00:00:00Z",
            "batchSize": len(records),
            "streamArn": f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/t/stream/2026-01-01T00:00:00.000",
        },
        "payload": json.dumps({"Records": records}),
    }


def event(told: str) -> dict[str, Any]:
    """An event as the bus delivers it."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "ClientCreated",
        "source": "purser",
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": {"id": told, "origin": "api", "note": PERSONAL},
    }


def failed_invocation(function: str, told: str) -> dict[str, Any]:
    """What Lambda sends to a queue when a function has failed at every attempt to handle an event."""
    return {
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": arn(function) + ":$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event(told),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "Error", "errorMessage": PERSONAL},
    }


def undelivered(function: str) -> dict[str, dict[str, str]]:
    """The attributes of an event that a rule could not deliver."""
    attributes = {
        "RULE_ARN": f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/purser/NotifyMailed",
        "TARGET_ARN": arn(function),
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": PERSONAL,
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}


def redrive(*given: str) -> tuple[int, str]:
    """Runs the command. Returns its exit status and everything it printed."""
    done = subprocess.run([sys.executable, COMMAND, *given], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Redrive(unittest.TestCase):
    """Each test has a stack of its own."""

    def setUp(self) -> None:
        self.stack = f"purser-{uuid.uuid4().hex[:8]}"
        cloud = boto3.client("cloudformation")
        template = (HERE / "template.yaml").read_text()
        cloud.create_stack(StackName=self.stack, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
        cloud.get_waiter("stack_create_complete").wait(StackName=self.stack, WaiterConfig={"Delay": 1})
        resources = cloud.list_stack_resources(StackName=self.stack)["StackResourceSummaries"]
        ids = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in resources}
        self.bucket, self.queue = ids["FailedRecords"], ids["FailedEvents"]
        self.relay, self.notify = f"{self.stack}-relay", f"{self.stack}-notify"
        self.s3, self.sqs = boto3.client("s3"), boto3.client("sqs")

    def keep(self, name: str, body: dict[str, Any] | str) -> str:
        """Puts an object into the bucket, where Lambda would put it. Returns its key."""
        key = f"aws/lambda/{uuid.uuid4()}/shardId-1/2026/01/01/2026-01-01T00.00.00-{name}"
        text = body if isinstance(body, str) else json.dumps(body)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())
        return key

    def send(self, body: dict[str, Any] | str, attributes: dict[str, Any] | None = None) -> str:
        """Sends a message to the queue. Returns its id."""
        text = body if isinstance(body, str) else json.dumps(body)
        sent = self.sqs.send_message(QueueUrl=self.queue, MessageBody=text, MessageAttributes=attributes or {})
        return str(sent["MessageId"])

    def left(self) -> tuple[set[str], set[str]]:
        """The keys in the bucket, and the ids of the messages that can be received immediately."""
        keys = {it["Key"] for it in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])}
        ids: set[str] = set()
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, VisibilityTimeout=5)
            fresh = {it["MessageId"] for it in answer.get("Messages", [])} - ids
            if not fresh:
                return keys, ids
            ids |= fresh

    def say(self, printed: str, *lines: str) -> None:
        """Asserts that every line was printed, and nothing personal."""
        for line in lines:
            self.assertIn(line, printed)
        self.assertNotIn(PERSONAL, printed)

    def test_nothing_to_do(self) -> None:
        for given in ((self.stack,), (self.stack, "--apply")):
            status, printed = redrive(*given)
            self.assertEqual(status, 0, printed)
            self.say(printed, "0 redriven, 0 left")

    def test_nothing_is_done_unless_it_is_asked_for(self) -> None:
        keys = {self.keep("a", failed_batch(self.relay, [record("good", 1), record("good", 2)]))}
        messages = {self.send(failed_invocation(self.notify, "CL-1:1:ClientCreated"))}
        status, printed = redrive(self.stack)
        self.assertEqual(status, 1, printed)
        self.say(
            printed,
            f"2 records: waits for {self.relay}",
            f"ClientCreated CL-1:1:ClientCreated: waits for {self.notify}",
            "0 redriven, 2 left; --apply redrives them",
        )
        self.assertEqual(self.left(), (keys, messages))

    def test_what_is_taken_leaves_and_the_rest_stays(self) -> None:
        self.keep("good", failed_batch(self.relay, [record("good", 1), record("good", 2)]))
        bad = self.keep("bad", failed_batch(self.relay, [record("good", 3), record("bad", 4), record("good", 5)]))
        crash = self.keep("crash", failed_batch(self.relay, [record("crash", 6)]))
        for _ in range(12):
            self.send(failed_invocation(self.notify, "good"))
            self.send(event("good"), undelivered(self.notify))
        failing = {
            self.send(failed_invocation(self.notify, "bad-1")),
            self.send(event("bad-2"), undelivered(self.notify)),
        }
        status, printed = redrive("--apply", self.stack)
        self.assertEqual(status, 1, printed)
        self.say(
            printed,
            f"2 records: handled by {self.relay}",
            f"{bad}: left: {self.relay} did not take the record 4",
            f"{crash}: left: {self.relay} failed in request ",
            "25 redriven, 4 left",
        )
        for message in failing:
            self.say(printed, f"{message}: left: {self.notify} failed in request ")
        self.assertEqual(self.left(), ({bad, crash}, failing))

    def test_an_event_of_aws_goes_by_the_id_of_its_envelope(self) -> None:
        bounce = event("") | {"detail-type": "Email Bounced", "source": "aws.ses", "detail": {"bounce": PERSONAL}}
        message = self.send(bounce, undelivered(self.notify))
        status, printed = redrive(self.stack)
        self.assertEqual(status, 1, printed)
        self.say(printed, f"{message}: Email Bounced {bounce['id']}: waits for {self.notify}")

    def test_what_can_not_be_read_stays_and_stops_nothing(self) -> None:
        without = failed_batch(self.relay, [record("good", 1)])
        del without["payload"]
        dropped = failed_invocation(self.notify, "good")
        del dropped["requestPayload"]
        reasons = {
            self.keep("a", without): "it has no payload",
            self.keep("b", "nonsense"): "not a JSON object",
            self.keep("c", failed_batch(self.relay, [record("good", 1)]) | {"payload": "{}"}): "has no records",
            self.keep("d", failed_batch("another", [record("good", 1)])): "names no function of this stack",
            self.send(dropped): "it has no requestPayload",
            self.send("nonsense"): "not a JSON object",
            self.send(event("good")): "it names no target",
            self.send(event("good"), undelivered("another")): "names no function of this stack",
            self.send(failed_invocation("another", "good")): "names no function of this stack",
            self.send({"requestContext": PERSONAL}): "not a JSON object",
        }
        self.keep("e", failed_batch(self.relay, [record("good", 1)]))
        self.send(failed_invocation(self.notify, "good"))
        status, printed = redrive("--apply", self.stack)
        self.assertEqual(status, 1, printed)
        self.say(printed, "2 redriven, 10 left")
        for name, reason in reasons.items():
            self.assertRegex(printed, f"{name}: left: .*{reason}")
        keys, messages = self.left()
        self.assertEqual(keys | messages, set(reasons))

    def test_a_stack_that_is_none(self) -> None:
        for name in ("nobody-knows-this", "another"):
            if name == "another":
                template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
                boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
            status, printed = redrive(name)
            self.assertEqual(status, 2, printed)
            self.say(printed, "redrive: ", name)


if __name__ == "__main__":
    unittest.main()
