"""template.yaml as a tree: read with CloudFormation's short tags, written in the long form.

Invariant: the written form means the same as the one that was read: `!Ref x` and `{"Ref": x}` are equivalent.
"""

import json
from pathlib import Path
from typing import Any

import yaml

Tree = dict[str, Any]

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "template.yaml"


class Loader(yaml.SafeLoader):
    """Reads YAML with the short forms of CloudFormation's functions."""


# A date stays a string: the `2012-10-17` of a policy's `Version` must not become a date.
Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> Tree:
    """Converts `!Name value` into `{"Fn::Name": value}`."""
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = node.value
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


Loader.add_multi_constructor("!", function)


def load(path: Path = FILE) -> Tree:
    """Reads the template into a new tree."""
    tree: Tree = yaml.load(path.read_text(encoding="utf-8"), Loader)
    return tree


def text(tree: Tree) -> str:
    """The tree in a form that CloudFormation accepts."""
    return json.dumps(tree)


def functions(tree: Tree) -> dict[str, Tree]:
    """The Lambda functions, by their logical names."""
    resources: Tree = tree["Resources"]
    return {name: it for name, it in resources.items() if it["Type"] == "AWS::Serverless::Function"}
