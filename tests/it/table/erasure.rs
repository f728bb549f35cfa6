//! What a deletion leaves behind is erased: nothing that is stored names who was deleted, and no repeat of a command
//! does (rule A9).

use image::{ImageFormat, RgbImage};
use purser_tests::prelude::*;

/// What names the person whom these tests delete, in lower case.
const MARKS: [&str; 4] = ["quonk", "70707071", "zyxnote", "zyxbrowser"];

/// What the table still holds of the person: kind and key of each item.
fn left(world: &World) -> Vec<String> {
    let held = world.opened().into_iter().filter(|item| MARKS.iter().any(|mark| item.text.contains(mark)));
    held.map(|item| format!("{} {}", item.kind, item.pk)).collect()
}

/// Lets the second look at what commands have stored that were running when somebody was deleted fall due.
async fn a_minute_later(world: &World) {
    world.system().settle().await;
    world.system().clock().advance(SignedDuration::from_mins(1));
    world.run_schedule("run-due-work").await;
    world.system().settle().await;
}

fn person(n: u8) -> Value {
    json!({"name": format!("Ada Quonk {n}"), "email": format!("ada{n}@quonk.example"), "phone": "+49 30 70707071",
           "client_id": format!("C-{n}"), "metadata": {"note": "zyxnote"}})
}

/// A command with its key, and the answer that it got.
struct Told {
    caller: Caller,
    path: String,
    key: String,
    body: Value,
    answer: Reply,
}

impl Told {
    async fn post(caller: &Caller, path: &str, key: &str, body: Value) -> Self {
        let answer = caller.post_once(path, key, &body).await;
        assert!(answer.status < 300, "{path} {}", answer.json);
        Self { caller: caller.clone(), path: path.to_owned(), key: key.to_owned(), body, answer }
    }

    async fn again(&self) -> Reply {
        self.caller.post_once(&self.path, &self.key, &self.body).await
    }

    /// A repeat does nothing, and names nothing but the ledger entry that the first request made.
    async fn must_be_erased(&self, entry: &Value) {
        let refused = self.again().await.refused(409, "answer_erased");
        assert_eq!(&refused.json["entry"], entry, "{}", self.path);
        let text = String::from_utf8(refused.bytes.clone()).unwrap().to_lowercase();
        assert!(MARKS.iter().all(|mark| !text.contains(mark)), "{text}");
        let mut other = self.body.clone();
        other["description"] = json!("something else");
        let reused = self.caller.post_once(&self.path, &self.key, &other).await;
        assert_eq!(reused.status, 422, "{}", reused.json);
    }
}

/// Everything that a partner can do with a client: create it, sell to it, alone and with others, and get it refunded.
struct Dealings {
    world: World,
    partner: Partner,
    heir: Partner,
    client: String,
    another: String,
    with_entry: Vec<Told>,
    created: Told,
}

impl Dealings {
    async fn new() -> Self {
        let world = World::at("2026-01-05T09:00:00Z").await;
        let (partner, heir) = (world.partner("standard", 1_000).await, world.partner("standard", 1_000).await);
        let (product, seller) = (world.product(10).await, &partner.caller);
        let created = Told::post(seller, "/v1/clients", "c", person(1)).await;
        let client = created.answer.text("refid").to_owned();
        let another = world.client(&partner).await;
        let order = json!({"product": product, "client": client});
        let alone = Told::post(seller, "/v1/provisions", "p1", order.clone()).await;
        let both = json!({"product": product, "clients": [client, another, person(3)]});
        let together = Told::post(seller, "/v1/provisions/bulk", "p2", both).await;
        let order_of_new = json!({"product": product, "client": person(2)});
        let fresh = Told::post(seller, "/v1/provisions", "p3", order_of_new).await;
        let refund = |told: &Told| format!("/v1/provisions/{}/refund", told.answer.text("refid"));
        let whole = Told::post(&world.operator, &refund(&alone), "r1", json!({})).await;
        let others = together.answer.json["results"][1]["licences"][0]["refid"].clone();
        let part = json!({"licences": [others]});
        let part = Told::post(&world.operator, &refund(&together), "r2", part).await;
        let moved = format!("/v1/clients/{client}/transfer");
        let _moved = world.operator.post(&moved, &json!({"reseller": heir.refid})).await.expect(200);
        let later = Told::post(&heir.caller, "/v1/provisions", "p4", order).await;
        let with_entry = vec![alone, together, fresh, whole, part, later];
        Self { world, partner, heir, client, another, with_entry, created }
    }

    /// Deletes all three persons.
    async fn delete(&self) {
        for refid in [self.client.as_str(), self.with_entry[2].answer.json["client"]["refid"].as_str().unwrap()] {
            let _gone = self.world.operator.delete(&format!("/v1/clients/{refid}")).await.expect(204);
        }
        let third = self.with_entry[1].answer.json["results"][2]["client"]["refid"].clone();
        let many = json!({"clients": [third]});
        let _gone = self.world.operator.post("/v1/clients/bulk-delete", &many).await.expect(200);
    }
}

#[tokio::test]
async fn nothing_that_is_stored_names_a_deleted_client_and_no_repeat_does() {
    let dealings = Dealings::new().await;
    let Dealings { world, partner, heir, .. } = &dealings;
    world.system().settle().await;
    assert!(left(world).len() > 10, "{:?}", left(world));
    dealings.delete().await;
    world.system().settle().await;
    assert_eq!(left(world), [""; 0], "at once");
    a_minute_later(world).await;
    assert_eq!(left(world), [""; 0], "a minute later");

    let before = world.state().await;
    dealings.created.must_be_erased(&Value::Null).await;
    for told in &dealings.with_entry {
        // A refund answers with the provision, and its own entry is the last of the provision's refunds.
        let refund = told.answer.json["refunds"].as_array().filter(|_| told.path.ends_with("/refund"));
        let refund = refund.and_then(|refunds| refunds.last()).map(|refund| &refund["refid"]);
        told.must_be_erased(refund.unwrap_or(&told.answer.json["refid"])).await;
    }
    assert_eq!(world.state().await, before, "the repeats changed something");
    assert_eq!(world.balance(&partner.refid).await, 1_000 - 10 - 30 - 10 + 10 + 10);
    world.assert_intact(&partner.refid, 6).await;
    world.assert_intact(&heir.refid, 2).await;
}

#[tokio::test]
async fn others_keep_what_they_bought_together_with_a_deleted_client() {
    let dealings = Dealings::new().await;
    let Dealings { world, partner, another, .. } = &dealings;
    dealings.delete().await;
    a_minute_later(world).await;
    let provision = format!("/v1/provisions/{}", dealings.with_entry[1].answer.text("refid"));
    let kept = partner.caller.get(&provision).await.expect(200);
    let sold = &kept.json["results"][1];
    assert_eq!(sold["client"]["refid"], json!(another));
    let licence = &dealings.with_entry[1].answer.json["results"][1]["licences"][0];
    assert_eq!(sold["licences"][0]["key_hint"], licence["key_hint"]);
    let path = format!("/v1/licences/{}/reveal-key", licence["refid"].as_str().unwrap());
    assert_eq!(partner.caller.act(&path).await.expect(200).json["key"], licence["key"]);
    let gone = &kept.json["results"][0];
    assert_eq!((&gone["client"], &gone["licences"][0]["client"]), (&Value::Null, &json!(dealings.client)));
    // What never named the client is still repeated byte for byte.
    let other = Told::post(&partner.caller, "/v1/clients", "other", world.new_client()).await;
    let again = other.again().await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.bytes), (Some("true"), &other.answer.bytes));
}

#[tokio::test]
async fn what_was_not_mailed_before_a_deletion_never_is() {
    let world = World::at("2026-01-05T09:00:00Z").await;
    let client = world.operator.post("/v1/clients", &person(1)).await.expect(201);
    world.system().settle().await;
    let mailed = world.subjects("ada1@quonk.example").await;
    let path = format!("/v1/clients/{}", client.text("refid"));
    let _active = world.operator.act(&format!("{path}/activate")).await.expect(200);
    let _gone = world.operator.delete(&path).await.expect(204);
    a_minute_later(&world).await;
    a_minute_later(&world).await;
    assert_eq!(world.subjects("ada1@quonk.example").await, mailed);
}

#[tokio::test]
async fn nothing_that_is_stored_names_a_deleted_user_and_no_repeat_does() {
    let world = World::at("2026-01-05T09:00:00Z").await;
    let (email, browser) = ("ada@quonk.example", ("user-agent", "zyxbrowser 1.0"));
    let invitation = json!({"name": "Ada Quonk", "email": email, "operator": true});
    let invited = Told::post(&world.operator, "/v1/users", "u", invitation).await;
    world.set_password(email, PASSWORD).await;
    let body = json!({"email": email, "password": PASSWORD}).to_string().into_bytes();
    let headers = [("content-type", "application/json"), browser];
    let session = world.nobody().send("POST", "/v1/auth/login", &headers, Some(body)).await.expect(200);
    let ada = world.nobody().with_key(Some(session.text("token")));
    let mut picture = std::io::Cursor::new(Vec::new());
    RgbImage::new(9, 9).write_to(&mut picture, ImageFormat::Png).unwrap();
    let png = [("content-type", "image/png")];
    let _kept = ada.send("PUT", "/v1/me/avatar", &png, Some(picture.into_inner())).await.expect(204);
    let asked = json!({"email": "new@quonk.example", "password": PASSWORD});
    let _asked = ada.put("/v1/me/email", &asked).await.expect(202);
    let _asked = world.nobody().post("/v1/auth/forgot-password", &json!({"email": email})).await.expect(202);
    world.system().settle().await;
    let kinds: BTreeSet<String> =
        left(&world).iter().filter_map(|it| it.split_once(' ')).map(|it| it.0.to_owned()).collect();
    let expected = ["idempotency", "login", "login_address", "sessions", "token", "user"];
    assert_eq!(kinds, expected.map(str::to_owned).into(), "a request for a link goes with its answer");

    let own = ["PW", "SE", "AV"].map(|noun| format!("{noun}#{}", invited.answer.text("refid")));
    let of_account: Vec<Value> =
        world.items().into_iter().filter(|item| own.iter().any(|pk| item["pk"]["S"] == *pk)).collect();
    assert_eq!(of_account.len(), 3);
    let path = format!("/v1/users/{}", invited.answer.text("refid"));
    let _plain = world.operator.patch(&path, &json!({"operator": false})).await.expect(200);
    let _gone = world.operator.delete(&path).await.expect(204);
    world.system().settle().await;
    assert_eq!(left(&world), [""; 0], "at once");
    assert_eq!(world.count_of_kind("avatar"), 0);
    // Changes of the account were under way when it was deleted.
    world.put_all(&of_account);
    a_minute_later(&world).await;
    assert_eq!(["credentials", "sessions", "avatar"].map(|kind| world.count_of_kind(kind)), [0, 0, 0]);
    invited.must_be_erased(&Value::Null).await;
    let _free = world.operator.post("/v1/users", &invited.body).await.expect(201);
}

/// A key may be used again once its record has ended. The later record belongs to somebody else.
#[tokio::test]
async fn the_answer_of_a_later_command_with_the_same_key_stays() {
    let world = World::at("2026-01-05T09:00:00Z").await;
    let first = Told::post(&world.operator, "/v1/clients", "c", person(1)).await;
    let record = |world: &World| world.items().into_iter().find(|item| item["kind"]["S"] == "idempotency");
    // The record ends after 40 days.
    world.system().clock().advance(SignedDuration::from_hours(41 * 24));
    if let Some(ended) = record(&world) {
        world.remove(&ended);
    }
    let later = Told::post(&world.operator, "/v1/clients", "c", world.new_client()).await;
    let _gone = world.operator.delete(&format!("/v1/clients/{}", first.answer.text("refid"))).await.expect(204);
    a_minute_later(&world).await;
    assert_eq!(left(&world), [""; 0]);
    assert_eq!(later.again().await.expect(201).bytes, later.answer.bytes);
}

/// Whatever commands store that were running when their person was deleted is found by the second look, or by the daily
/// sample.
#[tokio::test]
async fn what_was_stored_after_the_first_look_is_erased_a_minute_later_and_the_sample_finds_the_rest() {
    let dealings = Dealings::new().await;
    let world = &dealings.world;
    world.system().settle().await;
    let late: Vec<Value> =
        world.items().into_iter().filter(|item| item["answer"].is_object() && item["kind"]["S"] == "entry").collect();
    dealings.delete().await;
    world.system().settle().await;
    let erased = world.items();
    world.put_all(&late);
    assert_eq!(left(world).len(), 5, "all but the refund to somebody else");
    a_minute_later(world).await;
    assert_eq!(left(world), [""; 0]);

    world.put_all(&late);
    world.system().clock().advance(SignedDuration::from_hours(20));
    world.run_schedule("sample-erasures").await;
    assert_eq!(left(world), [""; 0]);
    let held = |items: &[Value]| items.iter().filter(|item| item["answer"].is_object()).count();
    assert_eq!(held(&world.items()), held(&erased), "the answers to others' commands are left alone");
}
