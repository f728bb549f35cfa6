"""What schemathesis can't know about Purser: which refusals of a request that fits the document are right, and which
values a request needs so that it is not refused for a duplicate or an empty wallet.
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

# A request may fit the document and still be refused because of the system's state. Such refusals have these codes.
STATE = {
    "captcha_failed",
    "idempotency_key_reused",
    "insufficient_credits",
    "invalid_code",
    "invalid_cursor",
    "invalid_reseller",
    "invalid_token",
    "invalid_user",
    "proof_required",
    "sensitive_metadata",
    "too_many_api_keys",
    "too_many_attempts",
    "version_mismatch",
    # No schema can say which bytes are a picture.
    "invalid_image",
    # No pattern can say which passwords are easy to guess.
    "weak_password",
    "wrong_password",
}

# Paths that also match another path with a parameter: GET /v1/clients/bulk-delete reads a client of that name, and
# `Allow` lists the methods of both paths.
FITTING_TWICE = (
    "/v1/api-keys/adopt",
    "/v1/clients/bulk-delete",
    "/v1/licences/validate",
    "/v1/provisions/bulk",
    "/v1/resellers/sign-up",
)

# The operations that require the signed-in user's password.
WITH_PASSWORD = ("PUT /v1/me/email", "POST /v1/me/totp", "DELETE /v1/me/totp")

# Query parameters that must be given together, which OpenAPI can't express.
TOGETHER = {"GET /v1/resellers/{refid}/verify": "sequence and head go together"}
# OpenAPI can't express either that a range must not end before it starts, or how long it may be.
RANGE = re.compile("end is before start|range has at most")

# What products and licences have in common.
TERMS = ("/kind", "/term", "/lease", r"/domains/\d+", r"/ip_ranges/\d+")

# Rules of form that JSON Schema can't express, or only with types that would be unusable, as patterns of the fields'
# pointers. Any other refusal of a request that fits the document is a bug in Purser or in the document.
FORM = {
    # With a password, people register only where no address is confirmed.
    "POST /v1/auth/register": ("/password",),
    # Metadata is arbitrary JSON, but all text in it must obey the rules for text, and numbers must be exact.
    "POST /v1/clients": ("/metadata",),
    "PATCH /v1/clients/{refid}": ("/metadata",),
    "POST /v1/resellers": ("/metadata",),
    "PATCH /v1/resellers/{refid}": ("/metadata",),
    # Kind and term depend on each other, and both have older names; for what a change leaves out, the product's or the
    # licence's own value counts. Which patterns have enough random bits, and which texts are a domain or a range of
    # addresses, no schema says.
    "POST /v1/products": (*TERMS, "/terms", "/duration_days", "/key_format"),
    "PATCH /v1/products/{reference}": (*TERMS, "/terms", "/duration_days", "/key_format"),
    "POST /v1/licences/validate": ("/domain",),
    "POST /v1/activations": ("/domain", "/replace"),
    "POST /v1/activations/heartbeat": ("/domain", "/replace"),
    # A licence is for one of a client, an external id and an address.
    "POST /v1/licences": (*TERMS, "/client", "/metadata"),
    "PATCH /v1/licences/{refid}": (*TERMS, "/metadata"),
    # An operator must say whose wallet pays; a reseller need not.
    "POST /v1/provisions": ("/reseller", "/client/metadata"),
    "POST /v1/provisions/bulk": ("/reseller", r"/clients/\d+/metadata"),
    # A key expires in the future; the first word of a reference may be Purser's own; a proof is one of two.
    "POST /v1/api-keys": ("/expires_at",),
    "POST /v1/resellers/{refid}/credits": ("/reference",),
    "POST /v1/me/proof": ("$",),
    # Scopes are an operator's, and a reseller's role is a member's.
    "POST /v1/users": ("/scopes", "/reseller_role"),
    "PATCH /v1/users/{refid}": ("/scopes", "/reseller_role"),
    # A licence may be named only once.
    "POST /v1/provisions/{refid}/refund": ("/licences",),
    # A wallet can't transfer to itself.
    "POST /v1/resellers/{refid}/transfers": ("/to",),
}


# Ids and references may hold what forms emoji, and nothing else that can't be seen: which is which depends on the
# character before, and no pattern can say that.
UNSEEN = "must not contain characters that can't be seen"

# A pattern that named the noncharacters of every plane would say nothing to a reader.
NONCHARACTERS = "must not contain control characters, line separators or bidirectional overrides"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if isinstance(failure, RejectedPositiveData):
        return not is_right(case, response.json())
    if isinstance(failure, (AllowHeaderMismatch, UnsupportedMethodResponse)):
        return case.path not in FITTING_TWICE
    if isinstance(failure, AcceptedNegativeData):
        return not is_unknown(failure, response.json())
    if isinstance(failure, EnsureResourceAvailability):
        # The purchase exists; the licence that the body names does not.
        return response.json()["detail"] != "There is no such licence."
    return True


def is_unknown(failure, answer):
    """Whether text that is not a refid was answered like a refid of nothing: with an empty list for a query, or with a
    result of its own in a bulk answer.
    """
    if "results" in answer:
        return any(result["code"] == "not_found" for result in answer["results"])
    named = re.search("parameter `(reseller|user|parent|client|product)` in query", failure.message)
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
        any(text in error["detail"] for text in (UNSEEN, NONCHARACTERS))
        or any(re.match(place, error["pointer"]) for place in places)
        for error in problem["errors"]
    )


numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes requests that fit the document use free addresses and existing ids, except for every fourth request, which
    shows what happens otherwise. In a scenario no request is excepted, because Hypothesis drops one it can't repeat.
    """
    meta, number = case.meta, next(numbers)
    if meta is None or not meta.generation.mode.is_positive:
        return
    if number % 4 == 0 and not isinstance(meta.phase.data, StatefulPhaseData):
        return
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"fuzz-{number}"
    reseller = os.environ["FUZZ_RESELLER"]
    # A reseller can't list resellers, so it has no way to learn its own refid.
    if os.environ["FUZZ_AS"] != "operator" and case.path.startswith("/v1/resellers/{refid}"):
        case.path_parameters["refid"] = reseller
    if not isinstance(case.body, dict):
        return
    for member in ("reseller", "parent"):
        if case.body.get(member):
            case.body[member] = reseller
    if case.operation.label in WITH_PASSWORD:
        case.body["password"] = os.environ["FUZZ_PASSWORD"]
    if case.operation.label == "POST /v1/me/proof":
        case.body = {"password": os.environ["FUZZ_PASSWORD"]}
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
