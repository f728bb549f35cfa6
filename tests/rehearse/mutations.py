"""The ways to break a template, one at a time, each with the failure that it must cause.

Invariant: a mutation that finds nothing to change is an error, so that no mutant survives or dies for no reason. A
mutation finds its place by names and structure, so the template may be laid out differently.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from deployment.template import Tree, functions

Change = Callable[[Tree], None]


class NothingToChange(Exception):
    """The template no longer has the place that a mutation changes."""


@dataclass(frozen=True)
class Mutation:
    """One way to break the template."""

    name: str
    change: Change
    # A regular expression that the failure's text must match.
    reason: str


def some(found: Iterable[Any], what: str) -> list[Any]:
    """What was found; an error if nothing was."""
    every = list(found)
    if not every:
        raise NothingToChange(what)
    return every


def many(value: Any) -> list[Any]:
    """A value as a list, whether it is one already or a single value."""
    return value if isinstance(value, list) else [value]


def function(tree: Tree, name: str) -> Tree:
    """The properties of a function."""
    if name not in functions(tree):
        raise NothingToChange(f"a function {name}")
    properties: Tree = functions(tree)[name]["Properties"]
    return properties


def policies(tree: Tree, name: str) -> list[Tree]:
    """The policy documents of a function, or of a managed policy."""
    resource = tree["Resources"].get(name)
    if resource and resource["Type"] == "AWS::IAM::ManagedPolicy":
        return [resource["Properties"]["PolicyDocument"]]
    return [it for it in function(tree, name)["Policies"] if "Statement" in it]


def with_action(tree: Tree, name: str, action: str) -> list[Tree]:
    """The statements that allow an action."""
    statements = [it for policy in policies(tree, name) for it in many(policy["Statement"])]
    return some((it for it in statements if action in many(it["Action"])), f"{name} may {action}")


def without_statement(name: str, action: str) -> Change:
    """Removes the statements that allow an action."""

    def change(tree: Tree) -> None:
        gone = with_action(tree, name, action)
        for policy in policies(tree, name):
            policy["Statement"] = [it for it in many(policy["Statement"]) if it not in gone]

    return change


def without_action(name: str, action: str) -> Change:
    """Removes one action, and leaves the other actions of its statement."""

    def change(tree: Tree) -> None:
        for statement in with_action(tree, name, action):
            # A statement must allow at least one action.
            statement["Action"] = [it for it in many(statement["Action"]) if it != action] or [f"{action}Nothing"]

    return change


def keys_of(statement: Tree) -> list[Tree]:
    """The conditions of a statement that restrict it to some keys."""
    return [it for it in statement.get("Condition", {}).values() if "dynamodb:LeadingKeys" in it]


def without_key(name: str, action: str, key: str) -> Change:
    """Removes one prefix from the keys for which an action is allowed."""

    def change(tree: Tree) -> None:
        conditions = [it for statement in with_action(tree, name, action) for it in keys_of(statement)]
        limited = [it for it in conditions if key in many(it["dynamodb:LeadingKeys"])]
        for condition in some(limited, f"{name} may {action} on {key}"):
            kept = [it for it in many(condition["dynamodb:LeadingKeys"]) if it != key]
            condition["dynamodb:LeadingKeys"] = kept or ["NONE#*"]

    return change


def with_condition(name: str, action: str, operator: str, key: str, value: Any) -> Change:
    """Changes the value in the condition of an action."""

    def change(tree: Tree) -> None:
        statements = [it for it in with_action(tree, name, action) if key in it.get("Condition", {}).get(operator, {})]
        for statement in some(statements, f"{name}: {action} by {key}"):
            statement["Condition"][operator][key] = value

    return change


def without_index(name: str, index: str) -> Change:
    """Removes an index from those that a function may query."""

    def change(tree: Tree) -> None:
        found = 0
        for statement in with_action(tree, name, "dynamodb:Query"):
            resources = many(statement["Resource"])
            kept = [it for it in resources if not str(it).rstrip("'}]").endswith(f"/index/{index}")]
            found += len(resources) - len(kept)
            statement["Resource"] = kept or [{"Fn::Sub": "${Table.Arn}/index/none"}]
        some(range(found), f"{name} may query {index}")

    return change


def with_handler(name: str, handler: str) -> Change:
    """Changes the handler of a function."""

    def change(tree: Tree) -> None:
        some(many(function(tree, name)["Handler"]), f"{name} has a handler")
        function(tree, name)["Handler"] = handler

    return change


def with_variable(variable: str, value: str | None) -> Change:
    """Changes a variable of every function, or removes it."""

    def change(tree: Tree) -> None:
        places = [tree["Globals"]["Function"]] + [it["Properties"] for it in functions(tree).values()]
        sets = [it["Environment"]["Variables"] for it in places if "Environment" in it]
        for variables in some((it for it in sets if variable in it), f"a variable {variable}"):
            if value is None:
                del variables[variable]
            else:
                variables[variable] = value

    return change


def table(tree: Tree) -> Tree:
    """The properties of the table."""
    tables = [it["Properties"] for it in tree["Resources"].values() if it["Type"] == "AWS::DynamoDB::Table"]
    (properties,) = some(tables, "a table")
    found: Tree = properties
    return found


def with_index(index: str, member: str, value: Any) -> Change:
    """Changes an index of the table."""

    def change(tree: Tree) -> None:
        indexes = [it for it in table(tree)["GlobalSecondaryIndexes"] if it["IndexName"] == index]
        some(indexes, f"an index {index}")[0][member] = value

    return change


def with_mail_events(*kinds: str) -> Change:
    """Changes the kinds of events that SES reports."""

    def change(tree: Tree) -> None:
        found = [it["Properties"]["EventDestination"] for it in tree["Resources"].values()
                 if it["Type"] == "AWS::SES::ConfigurationSetEventDestination"]
        for destination in some(found, "a destination of e-mail events"):
            destination["MatchingEventTypes"] = list(kinds)

    return change


def with_stream(view: str) -> Change:
    """Changes what the table's stream contains."""

    def change(tree: Tree) -> None:
        if table(tree)["StreamSpecification"]["StreamViewType"] == view:
            raise NothingToChange("another view of the stream")
        table(tree)["StreamSpecification"]["StreamViewType"] = view

    return change


def events(tree: Tree, name: str, kind: str, **members: str) -> list[tuple[str, Tree]]:
    """The events of a kind that invoke a function, with these properties."""
    found = [(key, it) for key, it in function(tree, name)["Events"].items() if it["Type"] == kind
             and all(it["Properties"].get(member) == value for member, value in members.items())]
    return some(found, f"{kind} {members} starts {name}")


def with_route(name: str, method: str, path: str, **changes: str) -> Change:
    """Changes a route."""

    def change(tree: Tree) -> None:
        for _, event in events(tree, name, "HttpApi", Method=method, Path=path):
            event["Properties"].update(changes)

    return change


def without_default_route(tree: Tree) -> None:
    """Removes the default route."""
    found = [(name, key) for name in functions(tree) for key, it in function(tree, name).get("Events", {}).items()
             if it["Type"] == "HttpApi" and "Path" not in it["Properties"]]
    for name, key in some(found, "a default route"):
        del function(tree, name)["Events"][key]


def without_events(name: str, kind: str) -> Change:
    """Removes the events that invoke a function."""

    def change(tree: Tree) -> None:
        for key, _ in events(tree, name, kind):
            del function(tree, name)["Events"][key]

    return change


def with_pattern(name: str, member: str, value: str, other: str) -> Change:
    """Replaces one value in the pattern of a rule."""

    def change(tree: Tree) -> None:
        found = 0
        for _, event in events(tree, name, "EventBridgeRule"):
            pattern = event["Properties"]["Pattern"]
            place = pattern["detail"] if member in pattern.get("detail", {}) else pattern
            values = place.get(member, [])
            found += values.count(value)
            place[member] = [other if it == value else it for it in values]
        some(range(found), f"a rule of {name} on {member} {value}")

    return change


def without_function(name: str) -> Change:
    """Removes a function."""

    def change(tree: Tree) -> None:
        function(tree, name)
        del tree["Resources"][name]

    return change


def with_idle_function(tree: Tree) -> None:
    """Adds a function that nothing invokes."""
    if "Idle" in tree["Resources"]:
        raise NothingToChange("no resource Idle yet")
    settings = {"Handler": "front", "CodeUri": tree["Resources"]["Front"]["Properties"]["CodeUri"]}
    tree["Resources"]["Idle"] = {"Type": "AWS::Serverless::Function", "Properties": settings}
