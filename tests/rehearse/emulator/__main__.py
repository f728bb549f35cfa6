"""MiniStack, extended by what it leaves out and the template depends on. Runs as a separate process.

Invariant: it ends with the process that started it.

    JOURNAL=file GATEWAY_PORT=4566 AUTH=true python tests/rehearse/emulator
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from functions import with_events_that_wait, with_journal_of_functions, with_quick_answers
from hooks import Context, Journal, hook
from mail import with_mailbox_simulator, with_mails_sender
from ministack import app
from ministack.services.cloudformation import provisioners, stacks
from rights import with_keys_and_attributes


def with_ref_of_secret() -> None:
    """Makes `Ref` of a secret its ARN, as on AWS. MiniStack returns its name, which no policy matches."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]

    def create(original: Callable[..., Any]) -> Callable[..., Any]:
        def created(*asked: Any) -> tuple[str, Context]:
            _, attributes = original(*asked)
            return attributes["Arn"], attributes

        return created

    handlers["create"] = create(handlers["create"])


def with_journal_of_resources(journal: Journal) -> None:
    """Notes every resource that is created from the template, with its references and conditions resolved."""

    def made(original: Callable[..., tuple[str, Context]]) -> Callable[..., tuple[str, Context]]:
        def provisioned(kind: str, name: str, properties: Context, stack: str) -> tuple[str, Context]:
            identity, attributes = original(kind, name, properties, stack)
            journal.write(kind="resource", type=kind, name=name, id=identity, properties=properties)
            return identity, attributes

        return provisioned

    hook(stacks, "_provision_resource", made)


def with_its_own_health_elsewhere() -> None:
    """Takes `/health` away from MiniStack, which would answer it itself on every host; the path belongs to Purser."""
    app._HEALTH_PATHS = tuple(path for path in app._HEALTH_PATHS if path != "/health")


def end_with_whoever_started_it() -> None:
    """Ends MiniStack and every function when the other end of standard input closes, for whatever reason."""

    def wait() -> None:
        sys.stdin.read()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Starts MiniStack with all extensions."""
    end_with_whoever_started_it()
    journal = Journal(os.environ["JOURNAL"])
    with_keys_and_attributes(journal)
    with_mails_sender()
    with_mailbox_simulator()
    with_journal_of_functions(journal)
    with_journal_of_resources(journal)
    with_ref_of_secret()
    with_events_that_wait()
    with_quick_answers()
    with_its_own_health_elsewhere()
    app.main()


if __name__ == "__main__":
    main()
