"""Deploys the template and the code into a cloud as `sam deploy` does, and wires up what MiniStack leaves out.

Invariant: only what the template contains is wired up, so a template that lacks something still fails.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from caller import Failure
from deployment.cloud import Cloud, until
from deployment.template import ROOT, Tree, text

NAME = "purser"
BUCKET = "artifacts"
BINARIES = ("purser-api", "purser-workers", "purser-people")
DEPLOY = 60.0
# Types that only watch the others, and that MiniStack does not know. Any other unknown type fails the deployment.
UNKNOWN = (
    "AWS::ApplicationInsights::Application",
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::AnomalyDetector",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::InsightRule",
    "AWS::Logs::QueryDefinition",
    "AWS::ResourceGroups::Group",
)
FUNCTION_OF_ROUTE = re.compile(r"/functions/(arn:[^/]+)/invocations")


def package(folder: Path, whole: bool) -> list[Path]:
    """Packs each binary, as built for tests, into an archive for Lambda: as `bootstrap`, and without its symbols.

    If not `whole`, `bootstrap` only starts the binary where it is, so that a cloud copies and unpacks next to nothing.
    """
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
    bootstrap, archives = folder / "bootstrap", []
    for name in BINARIES:
        if not whole:
            bootstrap.write_text(f"#!/bin/sh\nexec {shlex.quote(str((built / name).absolute()))}\n")
        elif shutil.which("strip"):
            subprocess.run(["strip", "-o", bootstrap, built / name], check=True)
        else:
            shutil.copy(built / name, bootstrap)
        archives.append(folder / f"{name}.zip")
        with zipfile.ZipFile(archives[-1], "w", zipfile.ZIP_DEFLATED, compresslevel=1) as code:
            code.write(bootstrap, "bootstrap")
        bootstrap.unlink()
    return archives


def packaged(tree: Tree) -> Tree:
    """The template with its code in a bucket, like the result of `sam package`."""
    copy: Tree = json.loads(text(tree))
    for resource in copy["Resources"].values():
        settings = resource.get("Properties", {})
        if "CodeUri" in settings:
            settings["CodeUri"] = f"s3://{BUCKET}/{Path(settings['CodeUri']).name}"
    return copy


class Stack:
    """The deployed template."""

    def __init__(self, cloud: Cloud, tree: Tree) -> None:
        self.cloud = cloud
        self.tree = tree
        self.formation = cloud.client("cloudformation")
        self.awslambda = cloud.client("lambda")
        # The resources by their logical names: type, id, and properties with every reference resolved.
        self.made: dict[str, Tree] = {}

    def deploy(self, archives: list[Path], parameters: dict[str, str]) -> None:
        """Creates the stack, and waits until it is complete."""
        s3 = self.cloud.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for archive in archives:
            s3.upload_file(str(archive), BUCKET, archive.name)
        s3.put_object(Bucket=BUCKET, Key="template.json", Body=text(self.known()).encode())
        self.formation.create_stack(
            StackName=NAME,
            TemplateURL=f"{self.cloud.url}/{BUCKET}/template.json",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        until("the stack is created", DEPLOY, self.is_created)
        self.look()

    def known(self) -> Tree:
        """The packaged template without the types that MiniStack does not know."""
        tree = packaged(self.tree)
        resources: Tree = tree["Resources"]
        tree["Resources"] = {name: it for name, it in resources.items() if it["Type"] not in UNKNOWN}
        return tree

    def is_created(self) -> bool:
        """Whether the stack is complete. If it failed, the error names the resources that could not be created."""
        status = self.formation.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"]
        if status.endswith("IN_PROGRESS"):
            return False
        if status != "CREATE_COMPLETE":
            events = self.formation.describe_stack_events(StackName=NAME)["StackEvents"]
            reasons = [f"{it['LogicalResourceId']}: {it.get('ResourceStatusReason')}"
                       for it in reversed(events) if it["ResourceStatus"].endswith("FAILED")]
            raise Failure(f"the stack is {status}: {'; '.join(reasons)}")
        return True

    def look(self) -> None:
        """Reads from the journal what was created from the template."""
        self.made = {line["name"]: line for line in self.cloud.lines() if line["kind"] == "resource"}

    def of_type(self, kind: str) -> dict[str, Tree]:
        """The properties of all resources of a type, by their ids."""
        return {it["id"]: it["properties"] for it in self.made.values() if it["type"] == kind}

    def functions(self) -> dict[str, str]:
        """The logical names of the functions, by their ids."""
        return {it["id"]: name for name, it in self.made.items() if it["type"] == "AWS::Lambda::Function"}

    def started_by_events(self) -> set[str]:
        """The ids of the functions that the stream or a rule invokes."""
        mappings, rules = self.of_type("AWS::Lambda::EventSourceMapping"), self.of_type("AWS::Events::Rule")
        targets = [target["Arn"] for it in rules.values() for target in it["Targets"]]
        return {it["FunctionName"] for it in mappings.values()} | {arn.rpartition(":")[2] for arn in targets}

    def wire(self, sender: str) -> None:
        """Adds what MiniStack's CloudFormation leaves out, and what an account must have before Purser is deployed."""
        self.wire_routes()
        self.wire_table()
        self.wire_functions()
        # An account must have verified its sender, otherwise SES refuses to send.
        self.cloud.client("sesv2").create_email_identity(EmailIdentity=sender)

    def wire_routes(self) -> None:
        """Creates the routes from the API's definition, as SAM derives it; API Gateway reads the definition itself."""
        gateway = self.cloud.client("apigatewayv2")
        for api, properties in self.of_type("AWS::ApiGatewayV2::Api").items():
            targets: dict[str, str] = {}
            for path, methods in properties["Body"]["paths"].items():
                for method, operation in methods.items():
                    uri = operation["x-amazon-apigateway-integration"]["uri"]
                    targets[uri] = targets.get(uri) or integration(gateway, api, uri)
                    gateway.create_route(ApiId=api, RouteKey=route_key(method, path), Target=targets[uri])

    def wire_table(self) -> None:
        """Sets the attribute by which items expire."""
        for table, properties in self.of_type("AWS::DynamoDB::Table").items():
            if expiry := properties.get("TimeToLiveSpecification"):
                self.cloud.client("dynamodb").update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)

    def wire_functions(self) -> None:
        """Sets reserved concurrency, and the dead-letter queues of functions."""
        for name, properties in self.of_type("AWS::Lambda::Function").items():
            if "ReservedConcurrentExecutions" in properties:
                self.awslambda.put_function_concurrency(
                    FunctionName=name, ReservedConcurrentExecutions=int(properties["ReservedConcurrentExecutions"]))
            if letters := properties.get("DeadLetterConfig"):
                self.awslambda.update_function_configuration(FunctionName=name, DeadLetterConfig=letters)

    def host(self) -> str:
        """The host name under which MiniStack serves the API. On AWS, the output `Url` suffices."""
        (stack,) = self.formation.describe_stacks(StackName=NAME)["Stacks"]
        (url,) = [it["OutputValue"] for it in stack["Outputs"] if it["OutputKey"] == "Url"]
        api = url.removeprefix("https://").split(".")[0]
        return f"{api}.execute-api.localhost:{self.cloud.port}"


def integration(gateway: Any, api: str, uri: str) -> str:
    """Lets an API invoke a function. Returns the name that a route's target uses for it."""
    function = FUNCTION_OF_ROUTE.search(uri)
    if not function:
        raise Failure(f"the target of a route is not a function: {uri}")
    made = gateway.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function.group(1),
                                      PayloadFormatVersion="2.0")
    return f"integrations/{made['IntegrationId']}"


def route_key(method: str, path: str) -> str:
    """The route key of a path in SAM's API definition, where `$default` is a path like any other."""
    if path == "/$default":
        return "$default"
    return f"{'ANY' if method == 'x-amazon-apigateway-any-method' else method.upper()} {path}"
