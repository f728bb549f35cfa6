"""How much the template uses of AWS's limits for a stack, a role and a function, checked before anything is deployed.

Invariant: sizes are counted after SAM's transformation, with each parameter and each name as long as it may get. The
limits below leave a margin to AWS's own.
"""

import json
import re
from collections import Counter
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from caller import Failure
from deployment.cloud import REGION
from deployment.stack import packaged
from deployment.template import Tree

# AWS's limit is 500 resources in a stack.
MOST_RESOURCES = 480
# AWS's limit is 10,240 characters for all inline policies of a role together.
MOST_POLICIES = 8_000
# AWS's limit is 4,096 bytes for the variables of a function, which Lambda measures as JSON.
MOST_VARIABLES = 3_500
# A number without a maximum may be as long as one of 64 bits; the functions refuse a longer one.
LONGEST_NUMBER = str(2**64 - 1)
# Parameters that people write in their own script, where a character may take four bytes. All others are ASCII.
WORDS = ("Brand",)
# A stack's name may have 128 characters, but nobody wants to type more than this.
STACK = "s" * 64
PSEUDO = {
    "AWS::AccountId": "123456789012", "AWS::NoValue": "", "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-1", "AWS::StackName": STACK, "AWS::URLSuffix": "amazonaws.com.cn",
}
# The types whose `Ref` is an ARN; for other types it is a name.
KNOWN_BY_ARN = ("AWS::IAM::ManagedPolicy", "AWS::SNS::Topic", "AWS::SecretsManager::Secret")
API = "apigateway.amazonaws.com"
PLACE = re.compile(r"\$\{([^!}]+)\}")


def check(tree: Tree) -> list[str]:
    """The sizes of the template, as lines to print. Fails if one of them is above its limit."""
    parameters = {name: longest(name, it) for name, it in tree["Parameters"].items()}
    resources = transformed(tree, parameters)
    texts = Texts(parameters, resources)
    policies = {name: texts.policies(it) for name, it in functions(resources).items()}
    variables = {name: texts.variables(it) for name, it in functions(resources).items()}
    return [
        counted(resources),
        f"largest: {largest('policies', policies, MOST_POLICIES, 'characters')}; "
        f"{largest('variables', variables, MOST_VARIABLES, 'bytes')}",
    ]


def longest(name: str, parameter: Tree) -> str:
    """The longest value that a parameter may have."""
    if "AllowedValues" in parameter:
        return max((str(value) for value in parameter["AllowedValues"]), key=len)
    if parameter["Type"] == "Number":
        return str(parameter.get("MaxValue", LONGEST_NUMBER))
    if "MaxLength" not in parameter:
        raise Failure(f"parameter {name} has no MaxLength, so the size of the variables is unknown")
    return ("\N{EARTH GLOBE EUROPE-AFRICA}" if name in WORDS else "x") * int(parameter["MaxLength"])


def transformed(tree: Tree, parameters: dict[str, str]) -> Tree:
    """The resources after SAM's transformation of the template."""
    translator = Translator(None, Parser(), boto_session=boto3.Session(region_name=REGION))
    made = translator.translate(packaged(tree), parameters, get_managed_policy_map=dict)
    # Discards the collected metrics; the translator warns about metrics that were never published.
    translator.metrics.publish()
    resources: Tree = made["Resources"]
    return resources


def functions(resources: Tree) -> dict[str, Tree]:
    """The properties of the functions, by their logical names."""
    return {name: it["Properties"] for name, it in resources.items() if it["Type"] == "AWS::Lambda::Function"}


def role(function: Tree) -> str:
    """The logical name of a function's role."""
    return str(function["Role"]["Fn::GetAtt"][0])


def counted(resources: Tree) -> str:
    """The number of resources of each kind. Fails if a function has no role of its own, or if there are too many."""
    roles = {role(it) for it in functions(resources).values()}
    kinds = Counter(kind(name, it, roles) for name, it in resources.items())
    total = 2 * kinds["function"] + kinds["permission"] + kinds["other"]
    text = (f"resources: 2 x {kinds['function']} functions + {kinds['permission']} permissions of routes + "
            f"{kinds['other']} others = {total}")
    if total != len(resources):
        raise Failure(f"{text}, but there are {len(resources)}")
    if total > MOST_RESOURCES:
        raise Failure(f"{text}, more than {MOST_RESOURCES}")
    return f"{text}, of at most {MOST_RESOURCES}"


def kind(name: str, resource: Tree, roles: set[str]) -> str:
    """The kind that a resource is counted as. Each function has a role, and its routes have permissions for the API.

    The permission of the default route covers all routes of its function, so there are fewer permissions than routes.
    """
    if resource["Type"] == "AWS::Lambda::Function":
        return "function"
    if name in roles:
        return "role"
    permits = resource["Type"] == "AWS::Lambda::Permission"
    return "permission" if permits and resource["Properties"]["Principal"] == API else "other"


def largest(what: str, sizes: dict[str, int], most: int, unit: str) -> str:
    """The function with the largest size. Fails if a function is above the limit."""
    if over := [f"{name} ({size} {unit})" for name, size in sizes.items() if size > most]:
        raise Failure(f"{what} of more than {most} {unit}: {', '.join(over)}")
    name = max(sizes, key=lambda it: sizes[it])
    return f"{what} of {name}, {sizes[name]} of at most {most} {unit}"


class Texts:
    """The text that CloudFormation will put in place of its intrinsic functions, at its longest."""

    def __init__(self, parameters: dict[str, str], resources: Tree) -> None:
        self.known = {**PSEUDO, **parameters}
        self.resources = resources

    def policies(self, function: Tree) -> int:
        """The number of characters in the inline policies of a function's role."""
        inline = self.resources[role(function)]["Properties"].get("Policies", [])
        return sum(len(self.compact(it["PolicyDocument"])) for it in inline)

    def variables(self, function: Tree) -> int:
        """The number of bytes in a function's variables."""
        return len(self.compact(function.get("Environment", {}).get("Variables", {})).encode())

    def compact(self, value: Any) -> str:
        """A value as JSON without white space."""
        return json.dumps(self.written(value), separators=(",", ":"), ensure_ascii=False)

    def written(self, value: Any) -> Any:
        """A value with its intrinsic functions replaced."""
        if isinstance(value, list):
            return [self.written(it) for it in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((called, of),) = value.items()
            if called == "Ref" or called.startswith("Fn::"):
                return self.worked_out(called, of)
        return {name: self.written(it) for name, it in value.items()}

    def worked_out(self, called: str, of: Any) -> Any:
        """The value of an intrinsic function."""
        match called:
            case "Ref":
                return self.referred(of)
            case "Fn::GetAtt":
                return arn(of[0])
            case "Fn::Join":
                return of[0].join(self.written(of[1]))
            case "Fn::If":
                return max(self.written(of[1]), self.written(of[2]), key=lambda it: len(json.dumps(it)))
            case "Fn::Sub":
                text, own = (of, {}) if isinstance(of, str) else of
                return PLACE.sub(lambda it: self.put(it.group(1), own), text)
        raise Failure(f"the longest value of {called} is not known here")

    def put(self, name: str, own: Tree) -> str:
        """The text that replaces a name in a `Fn::Sub`."""
        if name in own:
            return str(self.written(own[name]))
        resource, dot, _ = name.partition(".")
        return arn(resource) if dot else self.referred(name)

    def referred(self, name: str) -> str:
        """The value of a `Ref`."""
        if name in self.known:
            return self.known[name]
        return arn(name) if self.resources[name]["Type"] in KNOWN_BY_ARN else physical(name)


def physical(name: str) -> str:
    """The physical name of a resource that has no name of its own in the template."""
    return f"{STACK}-{name}-{'r' * 13}"


def arn(name: str) -> str:
    """The ARN of a resource, as long as that of a secret, whose service has the longest name."""
    partition, region, account = (PSEUDO[f"AWS::{it}"] for it in ("Partition", "Region", "AccountId"))
    return f"arn:{partition}:secretsmanager:{region}:{account}:secret:{physical(name)}"
