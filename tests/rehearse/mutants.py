"""`make rehearse-mutants`: breaks copies of the template, each in one place, and checks that the rehearsal notices.

    mutants.py [part of a name]
"""

import os
import re
import signal
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from deployment.cloud import Cloud
from mutations import (
    Mutation,
    with_condition,
    with_handler,
    with_idle_function,
    with_index,
    with_mail_events,
    with_pattern,
    with_route,
    with_stream,
    with_variable,
    without_action,
    without_default_route,
    without_events,
    without_function,
    without_index,
    without_key,
    without_statement,
)
from rehearsal import rehearse
from deployment.stack import package
from steps import Outcome, end, say
from deployment.template import Tree, load


def unread(secret: str) -> str:
    """How a function says that it can't read a secret: in its log, or, if that is read first, through the denial."""
    return rf"can't read the secrets: purser/{secret}|denied: \w+ secretsmanager:GetSecretValue on \S+:purser/{secret}"


MUTANTS = (
    # Permissions of functions behind the API.
    Mutation("provision: no statement to write", without_statement("Provision", "dynamodb:PutItem"),
             "denied: Provision dynamodb:PutItem"),
    Mutation("read-clients: no statement to read", without_statement("ReadClients", "dynamodb:GetItem"),
             "denied: ReadClients dynamodb:GetItem"),
    Mutation("provision: no BatchGetItem", without_action("Provision", "dynamodb:BatchGetItem"),
             "denied: Provision dynamodb:BatchGetItem"),
    Mutation("api-keys: no DeleteItem", without_action("ApiKeys", "dynamodb:DeleteItem"),
             "denied: ApiKeys dynamodb:DeleteItem"),
    Mutation("provision: no licences", without_key("Provision", "dynamodb:PutItem", "LI#*"),
             "denied: Provision dynamodb:PutItem .* with LI#"),
    Mutation("update-client: no freed addresses", without_key("UpdateClient", "dynamodb:DeleteItem", "EC#*"),
             "denied: UpdateClient dynamodb:DeleteItem .* with EC#"),
    Mutation("add-credits: no references", without_key("AddCredits", "dynamodb:PutItem", "RF#*"),
             "denied: AddCredits dynamodb:PutItem .* with RF#"),
    Mutation("refund-provision: no licences", without_key("RefundProvision", "dynamodb:UpdateItem", "LI#*"),
             "denied: RefundProvision dynamodb:UpdateItem .* with LI#"),
    Mutation("renew-licence: no licences", without_key("RenewLicence", "dynamodb:UpdateItem", "LI#*"),
             "denied: RenewLicence dynamodb:UpdateItem .* with LI#"),
    Mutation("validate-licence: no clients", without_key("ValidateLicence", "dynamodb:GetItem", "CL#*"),
             "denied: ValidateLicence dynamodb:GetItem .* with CL#"),
    Mutation("activate-installation: no query", without_action("ActivateInstallation", "dynamodb:Query"),
             "denied: ActivateInstallation dynamodb:Query"),
    Mutation("licence-activations: no gsi3", without_index("LicenceActivations", "gsi3"),
             "denied: LicenceActivations dynamodb:Query on .*/index/gsi3"),
    Mutation("no right to sign answers", without_statement("AnswersPolicy", "secretsmanager:GetSecretValue"),
             unread("answers")),
    Mutation("read-signing-keys: no keys", without_statement("ReadSigningKeys", "secretsmanager:GetSecretValue"),
             unread("published")),
    Mutation("change-licence: no notes", without_key("ChangeLicence", "dynamodb:PutItem", "LN#*"),
             "denied: ChangeLicence dynamodb:PutItem .* with LN#"),
    Mutation("read-licences: no gsi3", without_index("ReadLicences", "gsi3"),
             "denied: ReadLicences dynamodb:Query on .*/index/gsi3"),
    Mutation("transfer-credits: no receivers", without_key("TransferCredits", "dynamodb:BatchGetItem", "RS#*"),
             "denied: TransferCredits dynamodb:BatchGetItem .* with .*RS#RS-"),
    Mutation("read-clients: no gsi3", without_index("ReadClients", "gsi3"),
             "denied: ReadClients dynamodb:Query on .*/index/gsi3"),
    Mutation("read-clients: no lists by status", without_key("ReadClients", "dynamodb:Query", "CL!*"),
             "denied: ReadClients dynamodb:Query on .*/index/gsi3 with CL!"),
    Mutation("read-ledger: no gsi1", without_index("ReadLedger", "gsi1"),
             "denied: ReadLedger dynamodb:Query on .*/index/gsi1"),
    Mutation("read-checkpoints: no gsi2", without_index("ReadCheckpoints", "gsi2"),
             "denied: ReadCheckpoints dynamodb:Query on .*/index/gsi2"),
    Mutation("no right to the key of refids", without_statement("StartPolicy", "secretsmanager:GetSecretValue"),
             unread("ids")),
    Mutation("no right to read secrets at once", without_statement("StartPolicy", "secretsmanager:BatchGetSecretValue"),
             "denied: .* secretsmanager:BatchGetSecretValue"),
    Mutation("no right to seals of records", without_statement("RecordsPolicy", "secretsmanager:GetSecretValue"),
             unread("records")),
    Mutation("no right to know the edge", without_statement("EdgePolicy", "secretsmanager:GetSecretValue"),
             unread("edge")),
    Mutation("no right to know the edge and the caller",
             without_statement("CallerPolicy", "secretsmanager:GetSecretValue"), unread("")),
    Mutation("customer-auth: no budget of mails", without_key("CustomerAuth", "dynamodb:UpdateItem", "AB#*"),
             "denied: CustomerAuth dynamodb:UpdateItem .* with .*AB#"),
    Mutation("sign-up-reseller: no budget of mails", without_key("SignUpReseller", "dynamodb:UpdateItem", "AB#*"),
             "denied: SignUpReseller dynamodb:UpdateItem .* with .*AB#"),
    Mutation("no right to sign checkpoints", without_statement("CheckpointLedger", "secretsmanager:GetSecretValue"),
             unread("signing")),
    Mutation("no right to find out who calls", without_key("CallerPolicy", "dynamodb:BatchGetItem", "AK#*"),
             "denied: .* dynamodb:BatchGetItem .* with .*AK#"),
    # Permissions of functions that events invoke.
    Mutation("relay: no PutEvents", without_action("Relay", "events:PutEvents"), "denied: Relay events:PutEvents"),
    Mutation("notify: no UpdateItem of notices", without_action("Notify", "dynamodb:UpdateItem"),
             "denied: Notify dynamodb:UpdateItem"),
    Mutation("mails: no UpdateItem of claims", without_action("MailPolicy", "dynamodb:UpdateItem"),
             "denied: (Notify|MailLinks) dynamodb:UpdateItem"),
    Mutation("run-due-work: no UpdateItem", without_action("RunDueWork", "dynamodb:UpdateItem"),
             "denied: RunDueWork dynamodb:UpdateItem"),
    Mutation("expire-api-key: no PutItem", without_action("ExpireApiKey", "dynamodb:PutItem"),
             "denied: ExpireApiKey dynamodb:PutItem"),
    Mutation("erase: no UpdateItem of records", without_action("ErasurePolicy", "dynamodb:UpdateItem"),
             "denied: (Erase|SampleErasures) dynamodb:UpdateItem"),
    Mutation("erase: no licences of clients", without_index("ErasurePolicy", "gsi3"),
             "denied: (Erase|SampleErasures) dynamodb:Query on .*/index/gsi3"),
    Mutation("notify: no GetItem of resellers", without_key("Notify", "dynamodb:GetItem", "RS#*"),
             "denied: Notify dynamodb:GetItem .* with RS#"),
    Mutation("notify: no SendEmail", without_action("MailPolicy", "ses:SendEmail"),
             "denied: (Notify|MailLinks) ses:SendEmail"),
    Mutation("notify: another sender",
             with_condition("MailPolicy", "ses:SendEmail", "StringEquals", "ses:FromAddress", "nobody@example.com"),
             "denied: (Notify|MailLinks) ses:SendEmail"),
    Mutation("e-mails: another configuration set", with_variable("PURSER_MAIL_CONFIGURATION_SET", "elsewhere"),
             "denied: (Notify|MailLinks) ses:SendEmail on .*configuration-set/elsewhere"),
    Mutation("suppress-mail: no PutItem", without_action("SuppressMail", "dynamodb:PutItem"),
             "denied: SuppressMail dynamodb:PutItem"),
    Mutation("bind-client: no BatchGetItem", without_action("BindClient", "dynamodb:BatchGetItem"),
             "denied: BindClient dynamodb:BatchGetItem"),
    Mutation("link-licences: no licences", without_key("LinkLicences", "dynamodb:UpdateItem", "LI#*"),
             "denied: LinkLicences dynamodb:UpdateItem .* with LI#"),
    Mutation("bind-client: no users", without_key("BindClient", "dynamodb:PutItem", "US#*"),
             "denied: BindClient dynamodb:PutItem .* with US#"),
    Mutation("hold-provisioning: no PutItem", without_action("HoldProvisioning", "dynamodb:PutItem"),
             "denied: HoldProvisioning dynamodb:PutItem"),
    Mutation("checkpoint-ledger: no wallets", without_key("CheckpointLedger", "dynamodb:BatchGetItem", "WA#*"),
             "denied: CheckpointLedger dynamodb:BatchGetItem .* with WA#"),
    Mutation("checkpoint-ledger: no PutItem", without_action("CheckpointLedger", "dynamodb:PutItem"),
             "denied: CheckpointLedger dynamodb:PutItem"),
    Mutation("checkpoint-ledger: no GetItem", without_action("CheckpointLedger", "dynamodb:GetItem"),
             "denied: CheckpointLedger dynamodb:GetItem"),
    Mutation("report-accounts: no users", without_key("ReportAccounts", "dynamodb:Query", "US#*"),
             "denied: ReportAccounts dynamodb:Query on .*/index/gsi2"),
    Mutation("rollup: no PutItem", without_action("Rollup", "dynamodb:PutItem"), "denied: Rollup dynamodb:PutItem"),
    Mutation("sample-figures: no lists", without_key("FiguresPolicy", "dynamodb:Query", "CL#*"),
             "denied: (Sample|Check)Figures dynamodb:Query on .*/index/gsi2"),
    # Events.
    Mutation("project-timeline: no stream", without_events("ProjectTimeline", "DynamoDB"), "credits are counted"),
    Mutation("report-accounts: no schedule", without_events("ReportAccounts", "Schedule"), "functions on schedule"),
    Mutation("checkpoint-ledger: no schedule", without_events("CheckpointLedger", "Schedule"),
             "functions on schedule"),
    Mutation("relay: no stream", without_events("Relay", "DynamoDB"), "no event has invoked anything"),
    # A record without images is of no kind that Purser knows, so no event is published.
    Mutation("the stream shows keys only", with_stream("KEYS_ONLY"), "a link for .*: no event has invoked"),
    Mutation("notify: no changes of status", with_pattern("Notify", "detail-type", "ClientStatusChanged", "None"),
             "notices wait|e-mails about 'account is now'"),
    Mutation("notify: e-mails for imports", with_pattern("Notify", "origin", "api", "import"),
             "e-mails about 'Welcome to'"),
    Mutation("suppress-mail: no bounces", with_pattern("SuppressMail", "detail-type", "Email Bounced", "None"),
             "bounce.* is remembered"),
    Mutation("SES tells of no complaints", with_mail_events("bounce"), "complaint.* is remembered"),
    Mutation("bind-client: no new clients", with_pattern("BindClient", "detail-type", "ClientCreated", "None"),
             "user becomes|functions that did not run.*BindClient"),
    Mutation("erase: no deletions", with_pattern("Erase", "detail-type", "ErasureDue", "None"),
             "the answer is erased|functions that did not run.*Erase"),
    Mutation("hold-provisioning: no top-ups", with_pattern("HoldProvisioning", "detail-type", "CreditsAdded", "None"),
             "hold_provisioning becomes False"),
    # The configuration of a function.
    Mutation("read-ledger: another handler", with_handler("ReadLedger", "ledger"), 'there is no function \\S*"ledger'),
    Mutation("no table", with_variable("PURSER_TABLE", None), "PURSER_TABLE"),
    Mutation("another bus", with_variable("PURSER_BUS", "elsewhere"), "denied: Relay events:PutEvents on .*elsewhere"),
    Mutation("no first key", with_variable("PURSER_OPERATOR_KEY_SHA256", None), "GET /v1/products.* got 401"),
    Mutation("no sign-up", with_variable("PURSER_PARTNER_SIGN_UP", None), "POST /v1/resellers/sign-up: 202 expected"),
    Mutation("a function too many", with_idle_function, "functions that did not run.*Idle"),
    Mutation("a function too few", without_function("ReadProvisions"), "GET /v1/provisions/.* got 40[45]"),
    # The table.
    Mutation("gsi2 has another name", with_index("gsi2", "IndexName", "gsi9"), "GET /v1/products.* got 5"),
    Mutation("gsi1 shows keys only", with_index("gsi1", "Projection", {"ProjectionType": "KEYS_ONLY"}),
             "attribute doc is missing"),
    # Routes.
    Mutation("another path", with_route("TransferClient", "post", "/v1/clients/{refid}/transfer",
                                        Path="/v1/clients/{refid}/move"), "/transfer: .* got 40[45]"),
    Mutation("another method", with_route("UpdateClient", "patch", "/v1/clients/{refid}", Method="put"),
             "PATCH /v1/clients/.* got 405"),
    Mutation("no default route", without_default_route, "GET /nowhere: 404 not_found expected"),
)


@dataclass(frozen=True)
class Death:
    """The outcome of a mutant."""

    mutation: Mutation
    outcome: Outcome
    seconds: float

    @property
    def fate(self) -> str:
        """A mutant counts as killed only if the failure is about what was broken."""
        if not self.outcome.failed:
            return "SURVIVED"
        return "killed" if re.search(self.mutation.reason, self.outcome.reason, re.DOTALL) else "MISTAKEN"

    def row(self, width: int) -> str:
        """The mutant's line in the table."""
        by = self.outcome.failed or "nothing"
        line = f"{self.fate:8}  {self.mutation.name:{width}}  {self.seconds:5.1f} s  by: {by}"
        return line if self.fate == "killed" else f"{line}\n          {self.outcome.reason or 'the whole walk passed'}"


def broken(template: Tree, mutation: Mutation) -> Tree:
    """The template with a mutation, which must change it."""
    tree = deepcopy(template)
    mutation.change(tree)
    assert tree != template, f"{mutation.name} changes nothing"
    return tree


def kill(mutation: Mutation, tree: Tree, archives: list[Path]) -> Death:
    """Rehearses a broken template."""
    start = time.monotonic()
    outcome = rehearse(tree, archives, lambda _: None)
    return Death(mutation, outcome, time.monotonic() - start)


def table(pool: ThreadPoolExecutor, mutants: list[tuple[Mutation, Tree]], archives: list[Path]) -> list[Death]:
    """Rehearses all mutants, several at a time, and prints the outcome of each."""
    width = max(len(mutation.name) for mutation, _ in mutants)
    waiting: list[Future[Death]] = [pool.submit(kill, *mutant, archives) for mutant in mutants]
    try:
        deaths = []
        for done in as_completed(waiting):
            deaths.append(done.result())
            say(deaths[-1].row(width))
        return deaths
    except BaseException:
        # Mutants that have not begun never will, and the running ones fail at their next step.
        pool.shutdown(wait=False, cancel_futures=True)
        for cloud in list(Cloud.live):
            cloud.kill()
        raise


def main(part: str = "") -> int:
    """Rehearses every mutant whose name contains `part`. Returns 0 if each was killed by what was broken."""
    signal.signal(signal.SIGTERM, end)
    start = time.monotonic()
    template = load()
    mutants = [(mutation, broken(template, mutation)) for mutation in MUTANTS if part in mutation.name]
    if not mutants:
        say(f"there is no mutant {part!r}")
        return 1
    with tempfile.TemporaryDirectory(prefix="rehearsal-code-") as folder:
        archives = package(Path(folder), whole=False)
        with ThreadPoolExecutor(max_workers=int(os.environ.get("JOBS", (os.cpu_count() or 1) + 2))) as pool:
            deaths = table(pool, mutants, archives)
    alive = [death for death in deaths if death.fate != "killed"]
    # Once more at the end, for those who read only the end of a long log.
    for death in alive:
        say(death.row(0))
    say(f"mutants: {len(deaths) - len(alive)} killed, {len(alive)} not killed ({time.monotonic() - start:.1f} s)")
    return 1 if alive else 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:2]))
    except KeyboardInterrupt:
        sys.exit(130)
