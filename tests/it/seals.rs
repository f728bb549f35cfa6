//! Secrets by purpose: who may open what, and keys that are replaced while people work (ADR 27).

use purser_edge::App;
use purser_store::engine::Seal;
use purser_store::engine::secrets::Purpose;
use purser_tests::prelude::*;
use purser_tests::seals::SEALED;

use crate::accounts::me::second_factor::{Phone, enable};

const KINDS: [(Seal, Purpose); 3] =
    [(Seal::Factor, Purpose::Factors), (Seal::Record, Purpose::Records), (Seal::Licence, Purpose::Licences)];

/// What was sealed at one time.
struct Age {
    client: String,
    purchase: Value,
    bought: Reply,
    top_up: Value,
    added: Reply,
}

fn named(age: &str) -> Value {
    json!({"name": age, "email": format!("{age}@example.com"), "metadata": {"age": age}})
}

async fn seal(world: &World, partner: &Partner, product: &str, age: &str) -> Age {
    let client = world.operator.post("/v1/clients", &named(age)).await.expect(201).text("refid").to_owned();
    let purchase = json!({"product": product, "client": named(&format!("buyer-{age}"))});
    let bought = partner.caller.post_once("/v1/provisions", age, &purchase).await.expect(201);
    let licence = format!("/v1/licences/{}", bought.json["licences"][0]["refid"].as_str().unwrap());
    let noted = json!({"metadata": {"age": age}});
    let _noted = world.operator.patch(&licence, &noted).await.expect(200);
    let top_up = json!({"amount": 100, "reference": format!("INV-{age}")});
    let credits = format!("/v1/resellers/{}/credits", partner.refid);
    let added = world.operator.post_once(&credits, age, &top_up).await.expect(201);
    Age { client, purchase, bought, top_up, added }
}

/// Metadata, licence keys and answers of `age` are what they were.
async fn must_open(world: &World, partner: &Partner, name: &str, age: &Age) {
    let client = world.operator.get(&format!("/v1/clients/{}", age.client)).await.expect(200);
    assert_eq!(client.json["metadata"], json!({"age": name}));
    let licence = &age.bought.json["licences"][0];
    let path = format!("/v1/licences/{}/reveal-key", licence["refid"].as_str().unwrap());
    let revealed = world.operator.act(&path).await.expect(200);
    assert_eq!((&revealed.json["key"], &revealed.json["metadata"]), (&licence["key"], &json!({"age": name})));
    let again = partner.caller.post_once("/v1/provisions", name, &age.purchase).await.expect(201);
    assert_eq!(again.bytes, age.bought.bytes);
    let credits = format!("/v1/resellers/{}/credits", partner.refid);
    for key in [name.to_owned(), world.fresh(&format!("other-{name}"))] {
        let again = world.operator.post_once(&credits, &key, &age.top_up).await.expect(201);
        assert_eq!(again.bytes, age.added.bytes);
    }
}

/// Signs in with a code of the person's phone, whose secret is sealed.
async fn must_know_the_phone(world: &World, person: &Person, phone: &Phone) {
    // A code is good once, so each sign-in takes one of a later time.
    world.system().clock().advance(jiff::SignedDuration::from_mins(1));
    let body = json!({"email": person.email, "password": PASSWORD, "code": phone.shows(world, 0)});
    let _in = world.nobody().post("/v1/auth/login", &body).await.expect(200);
}

#[tokio::test]
async fn seals_of_three_ages_open_and_are_renewed_while_people_work() {
    let world = World::new().await;
    let partner = world.partner("standard", 10_000).await;
    let product = world.product(10).await;
    let (person, phone, _) = enable(&world, &world.person().await).await;
    let sells = json!({"company_name": "x", "email": "x@sells.example", "metadata": {"colours": "blue"}});
    let reseller = world.operator.post("/v1/resellers", &sells).await.expect(201).text("refid").to_owned();
    let mut ages = vec![("first", seal(&world, &partner, &product, "first").await)];
    for name in ["second", "third"] {
        world.rotate();
        world.read_secrets_again();
        ages.push((name, seal(&world, &partner, &product, name).await));
    }
    for (name, age) in &ages {
        must_open(&world, &partner, name, age).await;
    }
    must_know_the_phone(&world, &person, &phone).await;

    let renew = async {
        let mut renewed = Vec::new();
        for what in SEALED {
            renewed.push(world.reseal(what).await);
        }
        renewed
    };
    let work = async {
        let mut bought = Vec::new();
        for n in 0..20 {
            let name = format!("meanwhile-{n}");
            let body = json!({"metadata": {"meanwhile": n}});
            let path = format!("/v1/clients/{}", ages[n % 3].1.client);
            let _changed = world.operator.patch(&path, &body).await.expect(200);
            bought.push((name.clone(), seal(&world, &partner, &product, &name).await));
        }
        bought
    };
    let (renewed, meanwhile) = tokio::join!(renew, work);
    assert!(renewed.iter().all(|it| *it > 0), "{renewed:?}");

    // What the records of creates hold is in no list, and ends by itself; nothing else needs an older key.
    world.retire();
    world.read_secrets_again();
    for (name, age) in &meanwhile {
        must_open(&world, &partner, name, age).await;
    }
    for (n, (name, age)) in ages.iter().enumerate() {
        let client = world.operator.get(&format!("/v1/clients/{}", age.client)).await.expect(200);
        let last = (0..20).rev().find(|it| it % 3 == n).unwrap();
        assert_eq!(client.json["metadata"], json!({"age": name, "meanwhile": last}), "no change is lost");
        let again = partner.caller.post_once("/v1/provisions", name, &age.purchase).await.expect(201);
        assert_eq!(again.bytes, age.bought.bytes);
    }
    let shown = world.operator.get(&format!("/v1/resellers/{reseller}")).await.expect(200);
    assert_eq!(shown.json["metadata"], sells["metadata"]);
    must_know_the_phone(&world, &person, &phone).await;
    world.assert_intact(&partner.refid, 1 + 2 * 23).await;
}

#[tokio::test]
async fn sealing_anew_changes_nothing_else_and_tells_nobody() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let (product, _) = (world.product(10).await, enable(&world, &world.person().await).await);
    seal(&world, &partner, &product, "first").await;
    let (events, mails) = (world.events().await.len(), world.all_mails().await.len());
    let unsealed = async || {
        let mut items = world.items();
        for item in &mut items {
            for name in ["sealed", "answer"] {
                item.as_object_mut().unwrap().remove(name);
            }
            item["doc"]["M"]["second_factor"] = Value::Null;
        }
        items.retain(|item| !["timeline", "mark", "claim"].contains(&item["kind"]["S"].as_str().unwrap_or_default()));
        items.into_iter().map(|item| item.to_string()).collect::<BTreeSet<String>>()
    };
    let before = unsealed().await;
    world.rotate();
    world.read_secrets_again();
    for what in SEALED {
        world.reseal(what).await;
        assert_eq!(world.reseal(what).await, 0, "{what}: a second walk finds nothing to do");
    }
    assert_eq!(world.events().await.len(), events);
    assert_eq!(world.all_mails().await.len(), mails);
    assert_eq!(unsealed().await, before);
}

/// A function without a right can't open what it should not, and what strangers reach opens next to nothing.
#[tokio::test]
async fn a_function_opens_only_what_its_role_allows() {
    let world = World::new().await;
    let sealed = |seal| world.system().app().store.secrets().seal(seal, "here", b"content").unwrap();
    let sealed = KINDS.map(|(seal, purpose)| (seal, purpose, sealed(seal)));
    for function in purser_lambda::functions() {
        let may = world.system().roles().get(function.name).unwrap().secrets();
        let App { store, .. } = world.system().apps().of(function.name).unwrap();
        for (seal, purpose, sealed) in &sealed {
            let opened = store.secrets().open(*seal, "here", sealed);
            assert_eq!(opened.is_ok(), may.contains(purpose), "{} {purpose:?}", function.name);
        }
        assert_eq!(store.secrets().signing().is_ok(), function.name == "checkpoint-ledger", "{}", function.name);
    }
}
