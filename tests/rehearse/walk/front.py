"""What is answered without credentials, and how malformed requests are refused."""

from caller import equal
from steps import Part, Where
from walk.accounts import mailed, password, sign_in
from world import World, listed

PART = Part()


@PART.step("health answers")
def health(world: World) -> None:
    equal("health", world.nobody.get("/health").expect(200).json["status"], "ok")


@PART.step("the API's document is served")
def document(world: World) -> None:
    served = world.nobody.get("/openapi.json").expect(200).json
    equal("OpenAPI", served["openapi"][:3], "3.1")
    equal("one of its paths", "/v1/provisions/bulk" in served["paths"], True)


@PART.step("the default route answers an unknown path with a problem")
def unknown_path(world: World) -> None:
    for path in ("/nowhere", "/v1/clients/", "/v1/provisions/a/b/c"):
        world.operator.get(path).refused(404, "not_found")


@PART.step("a known path with another method is refused")
def unknown_method(world: World) -> None:
    refused = world.operator.delete("/v1/clients").refused(405, "method_not_allowed")
    equal("Allow", refused.headers.get("allow"), "GET, HEAD, POST")


@PART.step("a request without an API key, or with a wrong one, is refused")
def without_key(world: World) -> None:
    none = world.nobody.get("/v1/products").refused(401, "unauthenticated")
    equal("WWW-Authenticate", none.headers.get("www-authenticate"), "Bearer")
    for wrong in ("wrong", "AK-0000000000000000.wrong", world.operator.key + "x"):
        equal("same answer", world.operator.with_key(wrong).get("/v1/products").refused(401, "unauthenticated").body,
              none.body)


@PART.step("the deployment's first key lets an operator in, and does nothing else", Where.INSIDE)
def first_key(world: World) -> None:
    world.first.get("/v1/products?limit=1").refused(403, "forbidden")
    world.first.post("/v1/api-keys", {"name": "all", "scopes": ["money"]}).refused(403, "forbidden")
    email, secret = world.email("chief"), password()
    invited = world.first.post("/v1/users", {"email": email, "name": "First", "operator": True}).expect(201)
    token = mailed(world, email, "Your invitation to Purser")
    world.nobody.post("/v1/auth/reset-password", {"token": token, "password": secret}).expect(200)
    first = sign_in(world, email, secret)
    first.post("/v1/api-keys", {"name": "all"}).refused(403, "proof_required")
    first.post("/v1/me/proof", {"password": secret}).expect(200)
    world.first, world.made["chief"] = first, invited.json["refid"]


@PART.step("an operator ends the only API key that it has", Where.INSIDE)
def only_key(world: World) -> None:
    made = world.key(world.first).json["refid"]
    world.first.delete(f"/v1/api-keys/{made}").expect(204)
    world.first.delete(f"/v1/api-keys/{made}").refused(404, "not_found")


@PART.step("an operator creates an API key, which is used from here on")
def own_key(world: World) -> None:
    made = world.key(world.first)
    equal("its reseller", made.json["reseller"], None)
    # From here on, every function has to look up its caller in the table.
    world.operator = world.first.with_key(made.json["key"])
    world.operator.get("/v1/products?limit=1").expect(200)
    listed(world.operator, "/v1/api-keys", made.json["refid"])


@PART.step("a malformed body, query and cursor are refused")
def malformed(world: World) -> None:
    world.operator.post("/v1/clients", {"name": 7}).refused(422, "invalid_fields")
    world.operator.get("/v1/clients?colour=red").refused(400, "malformed_request")
    world.operator.get("/v1/clients?cursor=forged").refused(400, "invalid_cursor")
