"""Signed checkpoints of the ledger, and figures: who reads them, and what the scheduled functions write."""

from datetime import UTC, datetime, timedelta
from typing import Any

from caller import equal
from steps import Part, Where
from walk.workers.events import inside
from world import World

PART = Part()


def heads(world: World) -> dict[str, Any]:
    """Each wallet in the newest checkpoint, by its reseller."""
    parts = world.operator.get("/v1/checkpoints?limit=100").expect(200).json["data"]
    newest = [part for part in parts if part["date"] == max(it["date"] for it in parts)]
    return {wallet["reseller"]: wallet for part in newest for wallet in part["wallets"]}


@PART.step("operators read checkpoints, resellers don't")
def who(world: World) -> None:
    world.operator.get("/v1/checkpoints?limit=1").expect(200)
    world.elite.caller.get("/v1/checkpoints").refused(403, "forbidden")
    world.operator.get("/v1/checkpoints?date=yesterday").refused(400, "malformed_request")


@PART.step("scheduled functions sign a checkpoint of every wallet, and look for unused accounts", Where.INSIDE)
def signed(world: World) -> None:
    equal("functions on schedule", sorted(inside(world).on_schedule()),
          ["CheckpointLedger", "ReportAccounts", "ReportPartners", "Rollup", "RunDueWork", "SampleErasures",
           "SampleFigures"])
    last = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    world.expect_mail(world.email("chief"), f"Partner report for {last:%B %Y}")
    inside(world).until("a checkpoint is signed", lambda: world.elite.refid in heads(world))
    head, path = heads(world)[world.elite.refid], world.elite.path
    newest = world.operator.get(f"{path}/entries?limit=1").expect(200).json["data"][0]
    equal("its head", (head["sequence"], head["head"], head["balance"]),
          (newest["sequence"], newest["hash"], newest["balance_after"]))
    proved = world.operator.get(f"{path}/verify?sequence={head['sequence']}&head={head['head']}").expect(200).json
    equal("the verification", (proved["intact"], proved["breaks"]), (True, []))
    found = world.operator.get(f"{path}/verify?sequence={head['sequence']}&head={'1' * 64}").expect(200).json
    equal("a different head", (found["intact"], found["breaks"][0]["sequence"]), (False, head["sequence"]))


@PART.step("figures are rolled up, and agree with the wallets", Where.INSIDE)
def figures(world: World) -> None:
    def credits() -> int:
        path = f"/v1/analytics/credits/outstanding?reseller={world.elite.refid}"
        return world.operator.get(path).expect(200).json["credits"]

    balance = world.operator.get(f"{world.elite.path}/wallet").expect(200).json["balance"]
    inside(world).until("credits are counted", lambda: credits() == balance)
    stats = world.elite.caller.get(f"/v1/analytics/resellers/{world.elite.refid}/stats").expect(200).json
    equal("its balance", stats["balance"], balance)
    top = world.operator.get("/v1/analytics/resellers/top").expect(200).json["data"]
    equal("the reseller is ranked", world.elite.refid in [row["reseller"] for row in top], True)
    world.operator.get("/v1/analytics/clients/signups").expect(200)
    world.operator.get("/v1/analytics/reports/partners").expect(200)
    world.elite.caller.get("/v1/analytics/resellers/tiers").refused(403, "forbidden")
    whole = world.operator.get("/v1/analytics/figures/check").expect(200).json
    equal("the differences", whole["differences"], [])
    mended = world.operator.post(f"/v1/analytics/figures/rebuild?day={whole['first_day']}").expect(200).json
    equal("the differences after a rebuild", mended["differences"], [])
