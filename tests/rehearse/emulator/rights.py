"""Policies: condition keys that AWS evaluates and MiniStack does not know, and a journal of every permission check.

Invariant: nothing is granted that AWS would not grant. AWS documents that each item of a transaction is authorised like
the same call on its own, but does not say with which keys; here each item is checked with its own keys.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from hooks import Context, Journal, hook
from ministack.core import iam_actions, iam_evaluator
from ministack.services import dynamodb

# Condition keys of the request being handled, apart from those for DynamoDB.
CONDITIONS: ContextVar[Mapping[str, Any]] = ContextVar("conditions", default=MappingProxyType({}))
EQUALITY = re.compile(r"([#\w]+)\s*=\s*(:\w+)")
# The first name of a path in an expression: not a value, not a nested name, not a function.
TOP = re.compile(r"(?<![\w#:.\[])#?\w+(?!\w)(?!\s*\()")
WORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"}


def partition_key(table: str, index: str | None) -> str:
    """The name of the partition key of a table or of one of its indexes."""
    described = dynamodb._tables[table.rsplit("/", 1)[-1]]
    if index:
        described = next(it for it in described["GlobalSecondaryIndexes"] if it["IndexName"] == index)
    return next(str(it["AttributeName"]) for it in described["KeySchema"] if it["KeyType"] == "HASH")


def values_of(item: Context, name: str) -> list[str]:
    """The values of an attribute of an item or a key, as text."""
    return [str(value) for value in item.get(name, {}).values()]


def leading_keys(request: Context) -> list[str]:
    """The partition keys in a request, for `dynamodb:LeadingKeys`, which MiniStack does not know."""
    for table, asked in request.get("RequestItems", {}).items():
        name = partition_key(table, None)
        return [value for key in asked["Keys"] for value in values_of(key, name)]
    if "TableName" not in request:
        return []
    name = partition_key(request["TableName"], request.get("IndexName"))
    if "KeyConditionExpression" in request:
        names, values = request.get("ExpressionAttributeNames", {}), request["ExpressionAttributeValues"]
        equal = EQUALITY.findall(request["KeyConditionExpression"])
        return [str(*values[value].values()) for left, value in equal if names.get(left, left) == name]
    return values_of(request.get("Key") or request.get("Item") or {}, name)


def attributes(update: Context) -> list[str]:
    """The top-level attributes in an update, for `dynamodb:Attributes`, which MiniStack knows only for reads."""
    if "UpdateExpression" not in update:
        return []
    names = update.get("ExpressionAttributeNames", {})
    said = f"{update['UpdateExpression']} {update.get('ConditionExpression', '')}"
    tops = [names.get(top, top) for top in TOP.findall(said) if top.upper() not in WORDS]
    return [*update["Key"], *tops]


def conditions_of(request: Context) -> Context:
    """The condition keys that MiniStack does not know, of a request or of one item of a transaction."""
    known = {"dynamodb:LeadingKeys": leading_keys(request), "dynamodb:Attributes": attributes(request)}
    return {key: values for key, values in known.items() if values}


class ItemArn(str):
    """A table's ARN, together with the condition keys of one item of a transaction."""

    conditions: Context


def of_item(arn: str, part: Context) -> ItemArn:
    """The ARN to check one item of a transaction with."""
    marked = ItemArn(arn)
    marked.conditions = conditions_of(part)
    return marked


def with_keys_and_attributes(journal: Journal) -> None:
    """Checks each item of a transaction with its own key, and other requests with all keys they name, as AWS does."""

    def context(original: Callable[[bytes], Context]) -> Callable[[bytes], Context]:
        def of(body: bytes) -> Context:
            return {**original(body), **conditions_of(json.loads(body or b"{}"))}

        return of

    def parts(original: Callable[..., Any]) -> Callable[..., Any]:
        def of(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
            checks = original(action, body, region, account)
            if not checks:
                return []
            items = [part for item in json.loads(body)["TransactItems"] for part in item.values()]
            assert len(items) == len(checks), "there must be one check for each item of a transaction"
            return [(action, of_item(arn, part)) for (action, arn), part in zip(checks, items, strict=True)]

        return of

    def enforce(original: Callable[..., Any]) -> Callable[..., Any]:
        def checked(key: str, action: str, service: str, region: str, resource_arn: str = "*",
                    service_context: Context | None = None) -> Any:
            conditions = {**(service_context or {}), **CONDITIONS.get()}
            if isinstance(resource_arn, ItemArn):
                conditions |= resource_arn.conditions
            denied = original(key, action, service, region, resource_arn=resource_arn, service_context=conditions)
            function = function_of(key)
            if function:
                journal.write(kind="check", function=function, action=action, resource=str(resource_arn),
                              keys=conditions.get("dynamodb:LeadingKeys", []), allowed=denied is None)
            return denied

        return checked

    hook(iam_actions, "dynamodb_service_context", context)
    hook(iam_actions, "dynamodb_transaction_checks", parts)
    hook(iam_evaluator, "enforce", enforce)


def function_of(access_key: str) -> str:
    """The function that made a call, whose name is that of its role's session; empty for the person who deploys."""
    found = iam_evaluator.resolve_caller_identity(access_key) or {}
    kind, *names = str(found.get("userArn", "")).split("/")
    return names[-1] if kind.endswith(":assumed-role") else ""
