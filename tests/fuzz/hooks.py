"""What schemathesis can't know of Purser: which refusals of a request that fits the document are right, and how to
send requests that get past uniqueness and an empty wallet.
"""

import itertools
import os
import re

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.generation.meta import StatefulPhaseData
from schemathesis.openapi.checks import (
    AllowHeaderMismatch,
    EnsureResourceAvailability,
    RejectedPositiveData,
    UnsupportedMethodResponse,
)

# A request may fit the document and still be refused for what the system holds. Such refusals have codes of their own.
STATE = {
    "captcha_failed",
    "idempotency_key_reused",
    "insufficient_credits",
    "invalid_code",
    "invalid_cursor",
    "invalid_reseller",
    "invalid_token",
    "invalid_user",
    "too_many_attempts",
    "version_mismatch",
    # What is a picture, no schema says.
    "invalid_image",
    # What is too easy to guess, no pattern says.
    "weak_password",
    "wrong_password",
}

# Paths that another one with a parameter fits, too: GET /v1/clients/bulk-delete asks for a client of that name, and
# `Allow` names the methods of both.
FITTING_TWICE = ("/v1/clients/bulk-delete", "/v1/provisions/bulk", "/v1/resellers/sign-up")

# What asks for the password of whoever signed in.
WITH_PASSWORD = ("PUT /v1/me/email", "POST /v1/me/totp", "DELETE /v1/me/totp")

# What a query may say only together with something else, which OpenAPI can't say.
TOGETHER = {"GET /v1/resellers/{refid}/verify": "sequence and head go together"}
# Nor that a range ends where it begins or later, and how long it may be.
RANGE = re.compile("end is before start|range has at most")

# The rules of form that JSON Schema can't say, or only at the price of types that nobody could use, with their place.
# Any other refusal of a request that fits is a fault of the product or of the document.
FORM = {
    # Metadata is any JSON, and all text in it obeys the rules of text.
    "POST /v1/clients": ("/metadata",),
    "PATCH /v1/clients/{refid}": ("/metadata",),
    "POST /v1/resellers": ("/metadata",),
    "PATCH /v1/resellers/{refid}": ("/metadata",),
    # Terms and duration go together; what a change leaves out is what the product has.
    "POST /v1/products": ("/terms",),
    "PATCH /v1/products/{reference}": ("/terms",),
    # An operator must say whose wallet pays, a reseller need not.
    "POST /v1/provisions": ("/reseller", "/client/metadata"),
    "POST /v1/provisions/bulk": ("/reseller", r"/clients/\d+/metadata"),
    # A licence is named once.
    "POST /v1/provisions/{refid}/refund": ("/licences",),
    # A wallet sends to another one.
    "POST /v1/resellers/{refid}/transfers": ("/to",),
}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if isinstance(failure, RejectedPositiveData):
        return not is_right(case, response.json())
    if isinstance(failure, (AllowHeaderMismatch, UnsupportedMethodResponse)):
        return case.path not in FITTING_TWICE
    if isinstance(failure, AcceptedNegativeData):
        return not is_unknown(failure, response.json())
    if isinstance(failure, EnsureResourceAvailability):
        # The purchase is there; what is not is a licence that the body names.
        return response.json()["detail"] != "There is no such licence."
    return True


def is_unknown(failure, answer):
    """Whether text that is no refid was answered like the refid of nothing: in a query by an empty list, among many by
    a result of its own.
    """
    if "results" in answer:
        return any(result["code"] == "not_found" for result in answer["results"])
    named = re.search("parameter `(reseller|user|parent)` in query", failure.message)
    return named is not None and answer == {"data": [], "next_cursor": None}


def is_right(case, problem):
    if problem["code"] in STATE:
        return True
    together = TOGETHER.get(case.operation.label)
    if together and together in problem["detail"]:
        return True
    if case.path.startswith("/v1/analytics/") and RANGE.search(problem["detail"]):
        return True
    places = FORM.get(case.operation.label, ())
    return problem["code"] == "invalid_fields" and all(
        any(re.match(place, error["pointer"]) for place in places) for error in problem["errors"]
    )


numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Requests that fit name what is free and what is there, but for every fourth, which may find out what happens
    otherwise. Not so in a scenario, because Hypothesis gives up one that it can't repeat.
    """
    meta, number = case.meta, next(numbers)
    if meta is None or not meta.generation.mode.is_positive:
        return
    if number % 4 == 0 and not isinstance(meta.phase.data, StatefulPhaseData):
        return
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"fuzz-{number}"
    reseller = os.environ["FUZZ_RESELLER"]
    # A reseller sees no list that it could learn its own refid from.
    if os.environ["FUZZ_AS"] != "operator" and case.path.startswith("/v1/resellers/{refid}"):
        case.path_parameters["refid"] = reseller
    if not isinstance(case.body, dict):
        return
    for member in ("reseller", "parent"):
        if case.body.get(member):
            case.body[member] = reseller
    if case.operation.label in WITH_PASSWORD:
        case.body["password"] = os.environ["FUZZ_PASSWORD"]
    if case.operation.label in ("POST /v1/clients", "POST /v1/resellers", "POST /v1/users"):
        make_free(case.body, number)
    if case.operation.label in ("POST /v1/clients", "PATCH /v1/clients/{refid}"):
        case.body.pop("user", None)
    if case.operation.label == "POST /v1/provisions/bulk":
        case.body |= {"reseller": reseller, "product": "PROD-001"}
        for place, client in enumerate(case.body["clients"]):
            make_free(client, f"{number}-{place}")
    if case.operation.label == "POST /v1/provisions":
        case.body["reseller"] = reseller
        if "product" in case.body:
            case.body["product"] = "PROD-001"
        make_free(case.body.get("client"), number)


def make_free(client, number):
    if isinstance(client, dict):
        client["email"] = f"fuzz-{number}@example.com"
        client.pop("client_id", None)
