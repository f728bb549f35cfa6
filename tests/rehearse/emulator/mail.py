"""SES: which e-mails a policy permits, and what happens to e-mails to SES's mailbox simulator.

Invariant: SES reports bounces and complaints only through what the template sets up for it.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

from hooks import Context, hook
from ministack import app
from ministack.core import iam_actions, responses
from ministack.services import eventbridge, ses, ses_v2
from rights import CONDITIONS

# The detail types of SES's events on the bus.
DETAIL_TYPES = {
    "Bounce": "Email Bounced", "Complaint": "Email Complaint Received", "Delivery": "Email Delivered",
}


def with_mails_sender() -> None:
    """Makes policies judge an e-mail by its identity, configuration set and bare address, all unknown to MiniStack."""

    def addressed(original: Callable[..., Any]) -> Callable[..., Any]:
        def enforced(method: str, path: str, headers: Context, body: bytes, query: Context, request: str) -> Any:
            mail = json.loads(body or b"{}")
            sender = parseaddr(mail.get("FromEmailAddress", ""))[1]
            token = CONDITIONS.set({"ses:FromAddress": sender} if sender else {})
            try:
                denied = original(method, path, headers, body, query, request)
                if denied or not mail.get("ConfigurationSetName"):
                    return denied
                kept = of_account("configuration-set", mail["ConfigurationSetName"])
                return app._enforce_data_plane("sesv2", "ses:SendEmail", headers, query, request, resource_arn=kept,
                                               named_resource=kept)
            finally:
                CONDITIONS.reset(token)

        return enforced

    def identity(original: Callable[..., str]) -> Callable[..., str]:
        def of(*asked: Any) -> str:
            sender = CONDITIONS.get().get("ses:FromAddress")
            return of_account("identity", sender) if sender else original(*asked)

        return of

    hook(app, "_enforce_ses_v2", addressed)
    hook(iam_actions, "_ses_v2_resource_arn", identity)


def of_account(kind: str, name: str) -> str:
    """The ARN of an SES resource."""
    return f"arn:aws:ses:{responses.get_region()}:{responses.get_account_id()}:{kind}/{name}"


def with_mailbox_simulator() -> None:
    """Makes SES check an e-mail's configuration set and report to its bus; MiniStack only stores the setting."""

    def simulated(original: Callable[..., Any]) -> Callable[..., Any]:
        async def handled(method: str, path: str, headers: Context, body: bytes, query: Context) -> Any:
            mail = json.loads(body) if method == "POST" and path.endswith("/outbound-emails") else {}
            name = mail.get("ConfigurationSetName")
            if name and name not in ses_v2._config_sets:
                return ses_v2._missing_config_set(name)
            answer = await original(method, path, headers, body, query)
            if name and answer[0] == 200:
                tell(mail, ses_v2._config_sets[name].get("EventDestinations", {}))
            return answer

        return handled

    hook(ses_v2, "handle_request", simulated)


def tell(mail: Context, destinations: Context) -> None:
    """Puts the fate of an e-mail on the buses that want to know about it."""
    buses = [it for it in destinations.values() if it["Enabled"] and "EventBridgeDestination" in it]
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    about = {"timestamp": now, "source": mail["FromEmailAddress"], "destination": mail["Destination"]["ToAddresses"],
             "tags": {"ses:configuration-set": [mail["ConfigurationSetName"]]}}
    for to in mail["Destination"]["ToAddresses"]:
        mailbox, _, domain = parseaddr(to)[1].partition("@")
        simulated = ses._SIMULATOR_OUTCOMES if domain == ses._SIMULATOR_DOMAIN else {}
        for kind, subtype in simulated.get(mailbox.partition("+")[0], (("Delivery", None),)):
            detail = {"eventType": kind, "mail": about, **ses._notification_detail(kind, to, now, subtype)}
            for bus in (it for it in buses if kind.upper() in it["MatchingEventTypes"]):
                entry = {"Source": "aws.ses", "DetailType": DETAIL_TYPES[kind], "Detail": json.dumps(detail),
                         "EventBusName": bus["EventBridgeDestination"]["EventBusArn"]}
                eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
