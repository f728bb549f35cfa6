"""Products: created, listed, limited to tiers, and quoted."""

from caller import equal
from steps import Part
from world import World, listed

PART = Part()


@PART.step("a product is created, once for each idempotency key")
def create(world: World) -> None:
    reference, once = f"REHEARSAL-{world.run}", world.once("product")
    body = {"reference": reference, "name": world.name("Pro"), "price": 700, "term": "P1Y"}
    made = world.operator.post("/v1/products", body, once).expect(201)
    world.products.append(reference)
    world.made["product"] = reference
    equal("its terms", (made.json["terms"], made.json["active"]), ("subscription", True))
    world.operator.post("/v1/products", body, once).replays(made)
    world.operator.post("/v1/products", body).refused(409, "duplicate_product")
    world.elite.caller.post("/v1/products", body).refused(403, "forbidden")


@PART.step("resellers read and list products")
def read(world: World) -> None:
    reference = world.made["product"]
    equal("its price", world.elite.caller.get(f"/v1/products/{reference}").expect(200).json["price"], 700)
    listed(world.elite.caller, "/v1/products", reference, "reference")
    world.elite.caller.get("/v1/products/NONE").refused(404, "not_found")


@PART.step("a product can be limited to tiers")
def limit(world: World) -> None:
    path, quote = f"/v1/products/{world.made['product']}", f"/quote?product={world.made['product']}"
    limited = world.operator.patch(path, {"tiers": ["gold"]}).expect(200)
    equal("its tiers", limited.json["tiers"], ["gold"])
    world.elite.caller.get(world.elite.path + quote).refused(409, "tier_not_allowed")
    equal("any tier", world.operator.patch(path, {"tiers": None}).expect(200).json["tiers"], None)


@PART.step("a quote is the tier's price")
def quote(world: World) -> None:
    quoted = world.elite.caller.get(f"{world.elite.path}/quote?product={world.made['product']}&quantity=2").expect(200)
    world.price = quoted.json["unit_price"]
    equal("the cost", (quoted.json["tier"], quoted.json["cost"]), ("platinum", 2 * world.price))
    if world.inside:
        # In the rehearsal the discounts are those of the template; another deployment may have changed them.
        equal("30 % less", world.price, 490)
