"""The main job, done with the client that openapi-python-client generates from /openapi.json."""

import os
from http import HTTPStatus
from typing import TypeVar

from purser_client import AuthenticatedClient
from purser_client.api.ledger import add_credits, list_entries, read_wallet
from purser_client.api.products import create_product
from purser_client.api.provisions import provision
from purser_client.api.resellers import onboard_reseller
from purser_client.models import (
    AddCredits,
    ClientStatus,
    CreateProduct,
    EntryType,
    NewClient,
    OnboardReseller,
    Problem,
    ProvisionOfCost,
    ProvisionOfProduct,
    Terms,
    Tier,
)

T = TypeVar("T")


def must(answer: T | Problem | None) -> T:
    """The answer, if the request succeeded."""
    if answer is None or isinstance(answer, Problem):
        raise SystemExit(f"refused: {answer}")
    return answer


def main() -> None:
    operator = AuthenticatedClient(
        base_url=os.environ["PURSER_URL"],
        token=os.environ["PURSER_OPERATOR_KEY"],
        raise_on_unexpected_status=True,
    )
    body = OnboardReseller(company_name="Elite Partners", email="partner@elite.example", tier=Tier.PLATINUM)
    reseller = must(onboard_reseller.sync(client=operator, body=body))
    entry = must(
        add_credits.sync(reseller.refid, client=operator, body=AddCredits(amount=1000), idempotency_key="top-up")
    )
    assert (entry.type_, entry.balance_after) == (EntryType.CREDIT, 1000)

    pro = CreateProduct(reference="PRO-1", name="Pro, one year", price=700, duration_days=365)
    product = must(create_product.sync(client=operator, body=pro))
    assert product.terms is Terms.SUBSCRIPTION

    client = NewClient(name="Acme Corporation", email="billing@acme.example")
    order = ProvisionOfProduct(reseller=reseller.refid, product=product.reference, client=client)
    made = must(provision.sync(client=operator, body=order, idempotency_key="order"))
    assert (made.cost, made.balance, len(made.licences)) == (490, 510, 1)
    assert made.client is not None and made.client.status is ClientStatus.PENDING

    wallet = must(read_wallet.sync(reseller.refid, client=operator))
    entries = must(list_entries.sync(reseller.refid, client=operator))
    assert (wallet.balance, wallet.sequence, len(entries.data)) == (510, 2, 2)
    assert entries.next_cursor is None

    dear = ProvisionOfCost(reseller=reseller.refid, cost=511, description="More than there is")
    refused = provision.sync_detailed(client=operator, body=dear, idempotency_key="dear")
    assert refused.status_code is HTTPStatus.PAYMENT_REQUIRED and isinstance(refused.parsed, Problem)
    assert (refused.parsed.code, refused.parsed.balance) == ("insufficient_credits", 510)
    print(f"{reseller.company_name} has {wallet.balance} credits left")


main()
