//! Every operation of the API, with a request that succeeds. Tests of all operations are generated from these cases.
//!
//! Invariant: each operation of the document has a case and each case has an operation. Each case succeeds for those
//! who may call it, so what is refused to others is refused because of who they are.
//!
//! To add a route, add a case: who may call it, and a request made of the ids that the case is given.

use purser_tests::document::{Document, Operation};
use purser_tests::people::{NEW_PASSWORD, PASSWORD};
use purser_tests::prelude::*;

mod parties;
mod requests;

use parties::INSTALLATION;
pub use parties::{Ids, OWNED, Party, refid_of};
pub use requests::{PICTURE, Request, Sample, WELL, at, is_nothing, plain, variants};

/// A world without rate limits, with every switch on that opens a route.
pub async fn world() -> World {
    let variables = [
        ("PURSER_KEY_REQUESTS_PER_MINUTE", "0"),
        ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "0"),
        ("PURSER_PARTNER_SIGN_UP", "true"),
    ];
    let world = World::with(None, &variables).await;
    // A stale user, so that the list of stale users has something to show.
    world.register("stale@example.com").await;
    world.system().settle().await;
    let month = SignedDuration::from_hours(31 * 24);
    world.system().clock().advance(month);
    // A checkpoint, for the list of checkpoints.
    world.run_schedule("checkpoint-ledger").await;
    world
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anybody,
    /// A signed-in user, about that user's own account.
    SignedIn,
    /// Operators, and a reseller for its own records.
    Owner,
    Operator,
    /// Only operators, because of the body or query, which is thus read before a 403.
    OperatorByBody,
}
use Who::{Anybody, Operator, OperatorByBody, Owner, SignedIn};

/// What has to be prepared before each request of a case, so that the request succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    Staff,
    /// A licence that was just bought, with its provision.
    Licence,
    ActiveLicence,
    /// An installation that holds a seat of a licence that was just bought.
    Activation,
    /// A licence that its reseller and an operator suspended.
    SuspendedLicence,
    /// A user who holds no role.
    Stranger,
    /// The token in the e-mail of a registration.
    Confirmation,
    /// The token in the e-mail of an invitation.
    Invitation,
    Login,
    Picture,
    /// A signed-in user who was offered a second factor, with the code that turns it on.
    OfferedFactor,
    Factor,
}

pub struct Case {
    pub operation: &'static str,
    pub who: Who,
    pub needs: Needs,
    pub sample: fn(&Ids) -> Sample,
}

const fn case(operation: &'static str, who: Who, sample: fn(&Ids) -> Sample) -> Case {
    let needs = match who {
        SignedIn => Needs::Login,
        _ => Needs::Nothing,
    };
    Case { operation, who, needs, sample }
}

impl Case {
    const fn needing(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }
}

pub async fn cases(world: &World) -> Vec<(&'static Case, Operation)> {
    let operations = Document::of(world).await.operations();
    let described = |case: &'static Case| {
        let operation = operations.iter().find(|operation| operation.name() == case.operation)?;
        Some((case, operation.clone()))
    };
    CASES.iter().filter_map(described).collect()
}

/// Every operation, some of them with several requests.
#[rustfmt::skip]
pub static CASES: &[Case] = &[
    case("GET /health", Anybody, |_| plain()),
    case("GET /openapi.json", Anybody, |_| plain()),

    case("GET /v1/analytics/reports/partners", Operator, |_| plain().query("day", "2026-01-31")),
    case("GET /v1/analytics/figures/check", Operator, |_| plain()),
    case("GET /v1/analytics/figures/check", Operator, |_| plain().query("day", "2026-01-31")),
    case("POST /v1/analytics/figures/rebuild", Operator, |_| plain().query("day", "2026-01-31")),
    case("POST /v1/analytics/search/rebuild", Operator, |_| plain().query("of", "clients")),
    case("POST /v1/analytics/search/rebuild", Operator, |_| plain().query("of", "resellers")),
    case("GET /v1/analytics/resellers/tiers", Operator, |_| plain()),
    case("GET /v1/analytics/resellers/{refid}/stats", Owner, |ids| at(&ids.reseller)),
    case("GET /v1/analytics/clients/signups", Owner, |_| plain()),
    case("GET /v1/analytics/clients/signups", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/clients/status", Owner, |_| plain()),
    case("GET /v1/analytics/clients/status", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/clients/growth", Owner, |_| plain()),
    case("GET /v1/analytics/clients/growth", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/clients/segmentation", Owner, |_| plain()),
    case("GET /v1/analytics/clients/segmentation", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/clients/top-owners", Owner, |_| plain()),
    case("GET /v1/analytics/clients/top-owners", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/credits/trends", Owner, |_| plain()),
    case("GET /v1/analytics/credits/trends", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/credits/outstanding", Owner, |_| plain()),
    case("GET /v1/analytics/credits/outstanding", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/customers/top", Owner, |_| plain()),
    case("GET /v1/analytics/customers/top", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/customers/top", Owner, |_| plain().query("by", "products")),
    case("GET /v1/analytics/resellers/top", Owner, |_| plain()),
    case("GET /v1/analytics/resellers/top", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/licences/minted", Owner, |_| plain()),
    case("GET /v1/analytics/licences/minted", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/licences/minted", Owner, |ids| plain().query("client", &ids.client)),
    case("GET /v1/analytics/licences/popularity", Owner, |_| plain()),
    case("GET /v1/analytics/licences/popularity", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/analytics/licences/popularity", Owner, |ids| plain().query("client", &ids.client)),

    case("GET /v1/api-keys", Owner, |_| plain()),
    case("GET /v1/api-keys", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("POST /v1/api-keys", Owner, |ids| plain().body(json!({"reseller": ids.reseller, "name": "x"}))),
    case("POST /v1/api-keys/adopt", Operator, |ids| plain().query("reseller", &ids.reseller)),
    case("DELETE /v1/api-keys/{refid}", Owner, |ids| at(&ids.api_key)),

    case("GET /v1/auth/captcha", Anybody, |_| plain()),
    case("POST /v1/auth/register", Anybody, |ids| {
        plain().body(json!({"email": email(ids), "name": "x", "captcha": {"token": "x"}}))
    }),
    case("POST /v1/auth/resend-confirmation", Anybody, |ids| plain().body(json!({"email": email(ids)}))),
    case("POST /v1/auth/forgot-password", Anybody, |ids| plain().body(json!({"email": email(ids)}))),
    case("POST /v1/auth/login", Anybody, |ids| {
        plain().body(json!({"email": ids.login, "password": PASSWORD}))
    }).needing(Needs::Login),
    case("POST /v1/auth/logout", SignedIn, |_| plain()),
    case("POST /v1/auth/confirm", Anybody, |ids| {
        plain().body(json!({"token": ids.proof, "password": PASSWORD, "name": "x"}))
    }).needing(Needs::Confirmation),
    case("POST /v1/auth/reset-password", Anybody, |ids| {
        plain().body(json!({"token": ids.proof, "password": NEW_PASSWORD}))
    }).needing(Needs::Invitation),

    case("GET /v1/checkpoints", Operator, |_| plain()),

    case("GET /v1/clients", Owner, |_| plain()),
    case("GET /v1/clients", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/clients", Owner, |ids| plain().query("email", &ids.email)),
    case("GET /v1/clients", Owner, |ids| plain().query("client_id", &ids.client_id)),
    case("POST /v1/clients", Owner, |ids| {
        plain().body(with(new_client(ids), json!({"reseller": ids.reseller})))
    }),
    case("POST /v1/clients", OperatorByBody, |ids| {
        plain().body(with(new_client(ids), json!({"reseller": ids.reseller, "user": ids.user})))
    }),
    case("POST /v1/clients/bulk-delete", Operator, |ids| plain().body(json!({"clients": [ids.client]}))),
    case("GET /v1/clients/{refid}", Owner, |ids| at(&ids.client)),
    case("PATCH /v1/clients/{refid}", Owner, |ids| at(&ids.client).body(json!({"name": "x"}))),
    case("PATCH /v1/clients/{refid}", OperatorByBody, |ids| at(&ids.client).body(json!({"user": ids.user}))),
    case("DELETE /v1/clients/{refid}", Owner, |ids| at(&ids.client)),
    case("POST /v1/clients/{refid}/activate", Owner, |ids| at(&ids.client)),
    case("POST /v1/clients/{refid}/deactivate", Owner, |ids| at(&ids.client)),
    case("POST /v1/clients/{refid}/suspend", Owner, |ids| at(&ids.client)),
    case("POST /v1/clients/{refid}/transfer", Operator, |ids| {
        at(&ids.client).body(json!({"reseller": ids.reseller}))
    }),

    case("GET /v1/licences", Owner, |_| plain()),
    case("GET /v1/licences", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/licences", Owner, |ids| plain().query("client", &ids.client)),
    case("GET /v1/licences", Owner, |ids| plain().query("product", &ids.product)),
    case("POST /v1/licences", Operator, |ids| plain().body(json!({"product": ids.product, "client": ids.client}))),
    case("POST /v1/licences", Operator, |ids| {
        plain().body(json!({"product": ids.product, "email": email(ids), "comments": "x", "metadata": {}}))
    }),
    case("POST /v1/licences", Operator, |ids| {
        plain().body(json!({"product": ids.product, "client_id": ids.fresh, "key": format!("KEY-{}", ids.fresh)}))
    }),
    case("POST /v1/activations", Anybody, |ids| {
        plain().body(json!({"key": ids.key, "fingerprint": ids.fresh, "replace": "oldest", "nonce": "x"}))
    }).needing(Needs::ActiveLicence),
    case("POST /v1/activations/heartbeat", Anybody, |ids| {
        plain().body(json!({"key": ids.key, "fingerprint": INSTALLATION, "nonce": "x"}))
    }).needing(Needs::Activation),
    case("POST /v1/activations/deactivate", Anybody, |ids| {
        plain().body(json!({"key": ids.key, "fingerprint": INSTALLATION, "nonce": "x"}))
    }).needing(Needs::Activation),
    case("GET /v1/licences/{refid}/activations", Owner, |ids| at(&ids.licence)).needing(Needs::Activation),
    case("DELETE /v1/licences/{refid}/activations/{activation}", Owner, |ids| {
        at(&ids.licence).and(&ids.activation)
    }).needing(Needs::Activation),
    case("POST /v1/licences/validate", Anybody, |ids| plain().body(json!({"key": ids.key, "nonce": "x"}))),
    case("GET /v1/licences/{refid}", Owner, |ids| at(&ids.licence)),
    case("PATCH /v1/licences/{refid}", Owner, |ids| at(&ids.licence).body(json!({"comments": "x"}))),
    case("PATCH /v1/licences/{refid}", OperatorByBody, |ids| at(&ids.licence).body(json!({"parallel_uses": 7}))),
    case("POST /v1/licences/{refid}/activate", Operator, |ids| at(&ids.licence)).needing(Needs::Licence),
    case("POST /v1/licences/{refid}/suspend", Owner, |ids| at(&ids.licence)).needing(Needs::ActiveLicence),
    case("POST /v1/licences/{refid}/reinstate", Owner, |ids| at(&ids.licence)).needing(Needs::SuspendedLicence),
    case("POST /v1/licences/{refid}/renew", Owner, |ids| at(&ids.licence)).needing(Needs::Licence),
    case("POST /v1/licences/{refid}/transfer", Owner, |ids| {
        at(&ids.licence).body(json!({"client": ids.client}))
    }).needing(Needs::Licence),
    case("POST /v1/licences/{refid}/rotate-key", Owner, |ids| {
        at(&ids.licence).body(json!({"key": null}))
    }).needing(Needs::Licence),
    case("POST /v1/licences/{refid}/rotate-key", OperatorByBody, |ids| {
        at(&ids.licence).body(json!({"key": format!("KEY-{}", ids.fresh)}))
    }).needing(Needs::Licence),
    case("POST /v1/licences/{refid}/reveal-key", Owner, |ids| at(&ids.licence)),
    case("POST /v1/licences/{refid}/revoke", Owner, |ids| at(&ids.licence)).needing(Needs::Licence),

    case("GET /v1/me", SignedIn, |_| plain()),
    case("PATCH /v1/me", SignedIn, |_| plain().body(json!({"name": "x"}))),
    case("GET /v1/me/avatar", SignedIn, |_| plain()).needing(Needs::Picture),
    case("PUT /v1/me/avatar", SignedIn, |_| plain().picture()),
    case("DELETE /v1/me/avatar", SignedIn, |_| plain()).needing(Needs::Picture),
    case("PUT /v1/me/email", SignedIn, |ids| {
        plain().body(json!({"email": email(ids), "password": PASSWORD}))
    }),
    case("GET /v1/me/logins", SignedIn, |_| plain()),
    case("PUT /v1/me/password", SignedIn, |_| {
        plain().body(json!({"password": PASSWORD, "new_password": NEW_PASSWORD}))
    }),
    case("GET /v1/me/sessions", SignedIn, |_| plain()),
    case("DELETE /v1/me/sessions", SignedIn, |_| plain()),
    case("DELETE /v1/me/sessions/{id}", SignedIn, |ids| at(&ids.session)),
    case("POST /v1/me/proof", SignedIn, |_| plain().body(json!({"password": PASSWORD}))),
    case("POST /v1/me/totp", SignedIn, |_| plain().body(json!({"password": PASSWORD}))),
    case("PUT /v1/me/totp", SignedIn, |ids| {
        plain().body(json!({"code": ids.proof}))
    }).needing(Needs::OfferedFactor),
    case("DELETE /v1/me/totp", SignedIn, |ids| {
        plain().body(json!({"password": PASSWORD, "code": ids.proof}))
    }).needing(Needs::Factor),

    case("GET /v1/products", Owner, |_| plain()),
    case("POST /v1/products", Operator, |ids| {
        plain().body(json!({"reference": ids.fresh, "name": "x", "price": 1}))
    }),
    case("GET /v1/products/{reference}", Owner, |ids| at(&ids.product)),
    case("PATCH /v1/products/{reference}", Operator, |ids| at(&ids.product).body(json!({"name": "x"}))),

    case("POST /v1/provisions", Owner, |ids| {
        plain().body(json!({"reseller": ids.reseller, "product": ids.product, "client": ids.client}))
    }),
    case("POST /v1/provisions", Owner, |ids| {
        plain().body(json!({"reseller": ids.reseller, "product": ids.product, "client": new_client(ids)}))
    }),
    case("POST /v1/provisions", Owner, |ids| {
        plain().body(json!({"reseller": ids.reseller, "cost": 1, "description": "x"}))
    }),
    case("POST /v1/provisions/bulk", Owner, |ids| {
        let clients = json!([ids.client, new_client(ids)]);
        plain().body(json!({"reseller": ids.reseller, "product": ids.product, "clients": clients}))
    }),
    case("GET /v1/provisions/{refid}", Owner, |ids| at(&ids.provision)),
    case("POST /v1/provisions/{refid}/refund", Operator, |ids| {
        at(&ids.provision).body(json!({"licences": [ids.licence]}))
    }).needing(Needs::Licence),
    case("POST /v1/provisions/{refid}/refund", Operator, |ids| {
        at(&ids.provision).body(json!({"description": "x"}))
    }).needing(Needs::Licence),

    case("GET /v1/resellers", Operator, |_| plain()),
    case("GET /v1/resellers", Operator, |ids| plain().query("user", &ids.user)),
    case("GET /v1/resellers", Operator, |ids| plain().query("parent", &ids.reseller)),
    case("POST /v1/resellers/sign-up", Anybody, |ids| {
        plain().body(json!({"company_name": "x", "email": email(ids)}))
    }),
    case("POST /v1/resellers", Operator, |ids| {
        plain().body(json!({"company_name": "x", "email": email(ids), "parent": ids.reseller}))
    }),
    case("GET /v1/resellers/{refid}", Owner, |ids| at(&ids.reseller)),
    case("PATCH /v1/resellers/{refid}", Operator, |ids| at(&ids.reseller).body(json!({"tier": "gold"}))),
    case("POST /v1/resellers/{refid}/activate", Operator, |ids| at(&ids.reseller)),
    case("POST /v1/resellers/{refid}/suspend", Operator, |ids| at(&ids.reseller)),
    case("POST /v1/resellers/{refid}/credits", Operator, |ids| at(&ids.reseller).body(json!({"amount": 1}))),
    case("GET /v1/resellers/{refid}/entries", Owner, |ids| at(&ids.reseller)),
    case("GET /v1/resellers/{refid}/quote", Owner, |ids| at(&ids.reseller).query("product", &ids.product)),
    case("POST /v1/resellers/{refid}/transfers", Owner, |ids| {
        at(&ids.reseller).body(json!({"to": ids.below, "amount": 1}))
    }),
    case("GET /v1/resellers/{refid}/verify", Owner, |ids| at(&ids.reseller)),
    case("GET /v1/resellers/{refid}/verify", Owner, |ids| {
        at(&ids.reseller).query("sequence", "0").query("head", &"0".repeat(64))
    }),
    case("GET /v1/resellers/{refid}/wallet", Owner, |ids| at(&ids.reseller)),

    case("GET /v1/signing-keys", Anybody, |_| plain()),

    case("GET /v1/stale-users", Operator, |_| plain()),

    case("GET /v1/users", Owner, |_| plain()),
    case("GET /v1/users", Owner, |ids| plain().query("reseller", &ids.reseller)),
    case("GET /v1/users", OperatorByBody, |_| plain().query("operators", "true")),
    case("GET /v1/users", OperatorByBody, |ids| plain().query("email", &ids.login)).needing(Needs::Login),
    case("POST /v1/users", Owner, |ids| {
        plain().body(json!({"name": "x", "email": email(ids), "reseller": ids.reseller}))
    }),
    case("POST /v1/users", OperatorByBody, |ids| {
        plain().body(json!({"name": "x", "email": email(ids), "operator": true}))
    }),
    case("GET /v1/users/{refid}", Owner, |ids| at(&ids.user)),
    case("PATCH /v1/users/{refid}", OperatorByBody, |ids| {
        at(&ids.user).body(json!({"name": "x", "reseller": ids.reseller}))
    }),
    case("PATCH /v1/users/{refid}", Owner, |ids| {
        at(&ids.user).body(json!({"reseller_role": "buyer"}))
    }).needing(Needs::Staff),
    case("DELETE /v1/users/{refid}", Operator, |ids| at(&ids.stranger)).needing(Needs::Stranger),
    case("POST /v1/users/{refid}/activate", Owner, |ids| at(&ids.user)),
    case("GET /v1/users/{refid}/logins", Owner, |ids| at(&ids.user)).needing(Needs::Staff),
    case("POST /v1/users/{refid}/suspend", Owner, |ids| at(&ids.user)),
    case("POST /v1/users/{refid}/release-second-factor", Operator, |ids| at(&ids.stranger)).needing(Needs::Factor),
];

fn email(ids: &Ids) -> String {
    format!("{}@example.com", ids.fresh)
}

fn new_client(ids: &Ids) -> Value {
    json!({"name": "x", "email": email(ids)})
}

fn with(mut body: Value, members: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut body, members) else {
        panic!("both values must be objects");
    };
    all.extend(more);
    body
}
