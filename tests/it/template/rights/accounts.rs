//! What takes more than one request about an account: pages, sign-ins after wrong passwords, a new address, a deleted
//! account, and time that passes.

use purser_tests::people::{NEW_PASSWORD, PASSWORD, Person};
use purser_tests::prelude::*;

async fn send(world: &World, page: &str, form: String) {
    let media = [("content-type", "application/x-www-form-urlencoded")];
    let form = Some(form.into_bytes());
    let sent = world.nobody().send("POST", page, &media, form).await;
    let _done = sent.expect(200);
}

/// Confirms a new address on the page to which the newest e-mail links.
async fn confirm_new(world: &World, email: &str) {
    let token = world.mailed_token(email).await;
    let path = format!("/customer/confirm-email?token={token}");
    let _form = world.nobody().get(&path).await.expect(200);
    let wrong = format!("token={token}&password=wrong");
    let media = [("content-type", "application/x-www-form-urlencoded")];
    let wrong = world.nobody().send("POST", "/customer/confirm-email", &media, Some(wrong.into_bytes())).await;
    let _wrong = wrong.expect(422);
    let password = PASSWORD.replace(' ', "+");
    send(world, "/customer/confirm-email", format!("token={token}&password={password}")).await;
}

/// Registers an address, and gives the user a picture, as only somebody could who signed in before confirming.
async fn register(world: &World, email: &str) {
    world.register(email).await;
    let _mailed = world.mailed_token(email).await;
    let items = world.items();
    let guard = items.iter().find(|item| item["pk"]["S"] == format!("EU#{email}")).unwrap();
    let user = guard["doc"]["M"]["user"]["S"].as_str().unwrap();
    let picture = json!({
        "pk": {"S": format!("AV#{user}")}, "sk": {"S": "."}, "kind": {"S": "avatar"},
        "doc": {"M": {"version": {"N": "1"}}},
    });
    world.put_all(&[picture]);
}

/// Chooses a password on the page to which the newest e-mail links.
async fn choose(world: &World, page: &str, email: &str, password: &str) {
    let token = world.mailed_token(email).await;
    let path = format!("{page}?token={token}");
    let _form = world.nobody().get(&path).await.expect(200);
    let password = password.replace(' ', "+");
    let form = format!("token={token}&password={password}&repeated={password}");
    send(world, page, form).await;
}

/// Asks for a change of the e-mail address; returns the new address.
async fn move_to(world: &World, person: &Person) -> String {
    let email = format!("{}@example.com", world.fresh("moved"));
    let body = json!({"email": email, "password": PASSWORD});
    let asked = person.caller.put("/v1/me/email", &body).await;
    let _asked = asked.expect(202);
    email
}

async fn mistype(world: &World, email: &str) {
    let body = json!({"email": email, "password": "not this one"});
    let wrong = world.nobody().post("/v1/auth/login", &body).await;
    let _wrong = wrong.refused(401, "invalid_credentials");
}

async fn forget(world: &World, email: &str) {
    let body = json!({"email": email});
    let asked = world.nobody().post("/v1/auth/forgot-password", &body).await;
    let _asked = asked.expect(202);
}

/// A reseller asks about addresses and ids that are taken.
async fn guess(world: &World, partner: &Partner) {
    let (other, taken) = (world.partner("standard", 0).await, world.new_client());
    let _taken = other.caller.post("/v1/clients", &taken).await.expect(201);
    let _refused = partner.caller.post("/v1/clients", &taken).await.refused(409, "duplicate_email");
    let mut padded = world.new_client();
    padded["client_id"] = json!(" an id ");
    let _padded = partner.caller.post("/v1/clients", &padded).await.expect(201);
    let own = world.client(partner).await;
    let moved = json!({"email": taken["email"]});
    // A client that changed within the day, and one that did not.
    for when in ["2999-01-01T00:00:00.000Z", "2020-01-01T00:00:00.000Z"] {
        world.tamper(&format!("CL#{own}"), "updated_at", &json!({"S": when}));
        let moved = partner.caller.patch(&format!("/v1/clients/{own}"), &moved).await;
        let _refused = moved.refused(409, "duplicate_email");
    }
    world.top_up(&partner.refid, 10).await;
    let order = json!({"product": world.product(1).await, "client": taken});
    let order = partner.caller.post_once("/v1/provisions", "guess", &order).await;
    let _refused = order.refused(409, "duplicate_email");
    let user = world.member(&other.refid).await;
    let invite = json!({"name": "x", "email": user.email});
    let _refused = partner.caller.post("/v1/users", &invite).await.refused(409, "duplicate_email");
}

/// Users make keys, which end with them: with a role, and, where an address was not proven, with its first proof.
async fn keys(world: &World, partner: &Partner) {
    let name = json!({"name": "x"});
    let staff = world.member(&partner.refid).await;
    for _ in 0..2 {
        let made = staff.caller.post("/v1/api-keys", &name).await.expect(201);
        let key = world.operator.with_key(Some(made.text("key")));
        let own = key.post("/v1/api-keys", &name).await.expect(201);
        for ended in [own.text("refid"), made.text("refid")] {
            let _ended = partner.caller.delete(&format!("/v1/api-keys/{ended}")).await.expect(204);
        }
    }
    for _ in 0..2 {
        let _kept = staff.caller.post("/v1/api-keys", &name).await.expect(201);
    }
    let user = format!("/v1/users/{}", staff.refid);
    let viewer = json!({"reseller_role": "viewer"});
    let _looks = staff.caller.post("/v1/api-keys", &json!({"name": "x", "scopes": ["read"]})).await.expect(201);
    let _viewer = world.operator.patch(&user, &viewer).await.expect(200);
    let _out = world.operator.act(&format!("{user}/suspend")).await.expect(200);
    for bound in [true, false] {
        let person = world.person().await;
        // As if somebody had set the password of an address that is not theirs.
        world.tamper(&format!("US#{}", person.refid), "confirmed_at", &json!({"NULL": true}));
        let mut client = world.new_client();
        if bound {
            client["user"] = json!(person.refid);
        }
        let client = world.operator.post("/v1/clients", &client).await.expect(201);
        let client = format!("/v1/clients/{}", client.text("refid"));
        let _bound = world.operator.patch(&client, &json!({"user": person.refid})).await.expect(200);
    }
    for page in [true, false] {
        let unproven = world.member(&partner.refid).await;
        let _kept = unproven.caller.post("/v1/api-keys", &name).await.expect(201);
        // As if the address had been taken for proven by mistake.
        world.tamper(&format!("US#{}", unproven.refid), "confirmed_at", &json!({"NULL": true}));
        forget(world, &unproven.email).await;
        if page {
            choose(world, "/customer/reset-password", &unproven.email, PASSWORD).await;
        } else {
            world.set_password(&unproven.email, PASSWORD).await;
        }
    }
}

/// Does everything that the module's comment lists.
/// Keys that expire within the month: one of two of a user, and the only one of another.
async fn expiring(world: &World, partner: &Partner) {
    let soon = world.system().clock().now().plus(SignedDuration::from_hours(24 * 20));
    let brief = json!({"name": "x", "expires_at": soon});
    let (one, other) = (world.member(&partner.refid).await, world.member(&partner.refid).await);
    for staff in [&one, &other] {
        let _brief = staff.caller.post("/v1/api-keys", &brief).await.expect(201);
    }
    let _lasting = one.caller.post("/v1/api-keys", &json!({"name": "x"})).await.expect(201);
}

pub async fn live(world: &World) {
    let nobody = world.nobody();
    // A client that existed first is bound to the user once the user's address is confirmed.
    let partner = world.partner("standard", 0).await;
    let email = format!("{}@example.com", world.fresh("customer"));
    let client = json!({"name": "x", "email": email});
    let _client = partner.caller.post("/v1/clients", &client).await.expect(201);
    register(world, &email).await;
    choose(world, "/customer/confirm", &email, PASSWORD).await;
    let invited = format!("{}@example.com", world.fresh("invited"));
    let body = json!({"email": invited, "name": "x", "reseller": partner.refid});
    let _invited = world.operator.post("/v1/users", &body).await.expect(201);
    choose(world, "/customer/reset-password", &invited, PASSWORD).await;
    let other = format!("{}@example.com", world.fresh("confirmed"));
    register(world, &other).await;
    let body = json!({"token": world.mailed_token(&other).await, "password": PASSWORD});
    let _confirmed = nobody.post("/v1/auth/confirm", &body).await.expect(200);
    world.system().settle().await;
    mistype(world, &email).await;
    let customer = world.sign_in(&email, PASSWORD).await;
    let me = customer.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.json["roles"], json!(["customer"]));

    // E-mails to a customer carry its reseller's name, and a link by e-mail ends the delays that failed sign-ins
    // caused.
    for failures in [1, 0] {
        for _ in 0..failures {
            mistype(world, &email).await;
        }
        forget(world, &email).await;
        choose(world, "/customer/reset-password", &email, PASSWORD).await;
    }
    mistype(world, &email).await;
    forget(world, &email).await;
    world.set_password(&email, PASSWORD).await;

    // A new address, confirmed once by the API and once on the page.
    let person = world.person().await;
    let moved = move_to(world, &person).await;
    let token = json!({"token": world.mailed_token(&moved).await, "password": PASSWORD});
    let _moved = nobody.post("/v1/auth/confirm", &token).await.expect(200);
    let person = world.sign_in(&moved, PASSWORD).await;
    let moved = move_to(world, &person).await;
    confirm_new(world, &moved).await;
    let person = world.sign_in(&moved, PASSWORD).await;
    let wrong = json!({"password": NEW_PASSWORD});
    let wrong = person.caller.post("/v1/me/totp", &wrong).await;
    let _wrong = wrong.refused(422, "wrong_password");
    let right = json!({"password": PASSWORD});
    let _right = person.caller.post("/v1/me/totp", &right).await.expect(200);

    keys(world, &partner).await;
    expiring(world, &partner).await;
    guess(world, &partner).await;

    // The use of a session is noted only from time to time, so some minutes have to pass.
    let later = json!({"advance": "PT6M"});
    let _later = nobody.post("/_local/clock", &later).await.expect(200);
    let _me = person.caller.get("/v1/me").await.expect(200);
    let path = format!("/v1/users/{}", person.refid);
    let _gone = world.operator.delete(&path).await.expect(204);
    world.system().settle().await;
}

/// A world that asks strangers for sums, after one right answer.
pub async fn with_sums() -> World {
    let variables = [
        ("PURSER_CAPTCHA", "arithmetic"),
        ("PURSER_CONFIRM_ADDRESS", "false"),
        ("PURSER_PARTNER_SIGN_UP", "true"),
        ("PURSER_ADDRESS_MAILS_PER_HOUR", "100"),
    ];
    let world = World::with(None, &variables).await;
    let nobody = world.nobody();
    let captcha = world.answer_to_challenge().await;
    let body = json!({"email": "ada@example.com", "name": "Ada", "password": PASSWORD, "captcha": captcha});
    let _asked = nobody.post("/v1/auth/register", &body).await.expect(202);
    let body =
        json!({"email": "nova@example.com", "company_name": "Nova", "captcha": world.answer_to_challenge().await});
    let _applied = nobody.post("/v1/resellers/sign-up", &body).await.expect(202);
    world.system().settle().await;
    world
}

/// A world that asks a service whether strangers are people, after two requests that it could not judge.
pub async fn with_a_service() -> World {
    let variables = [
        ("PURSER_CAPTCHA", "turnstile"),
        ("PURSER_CAPTCHA_SITE_KEY", "site"),
        ("PURSER_CAPTCHA_URL", "http://127.0.0.1:9/"),
        ("PURSER_PARTNER_SIGN_UP", "true"),
    ];
    let world = World::with(None, &variables).await;
    let mut body = json!({"email": "ada@example.com", "password": PASSWORD, "captcha": {"token": "x"}});
    let _busy = world.nobody().post("/v1/auth/login", &body).await.refused(503, "busy");
    body = json!({"email": "ada@example.com", "company_name": "Nova", "captcha": {"token": "x"}});
    let _busy = world.nobody().post("/v1/resellers/sign-up", &body).await.refused(503, "busy");
    world
}
