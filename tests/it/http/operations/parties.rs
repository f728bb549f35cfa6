//! The parties of the generated tests, and the records that they own.
//!
//! Invariant: a party has one record of each kind that requests can name, so that any of them can be exchanged for
//! another party's, or for one that does not exist.

use purser_tests::prelude::*;

use super::requests::PICTURE;
use super::{Needs, Who};

/// How the installations of all parties name themselves.
pub const INSTALLATION: &str = "6b1e5e0c-4a4e-4a7f-9d2b-0f4a9f7e2c11";

/// The ids of one record of each kind, as requests name them.
#[derive(Debug, Clone)]
pub struct Ids {
    pub reseller: String,
    pub client: String,
    pub email: String,
    pub client_id: String,
    pub provision: String,
    pub licence: String,
    /// The key of `licence`.
    pub key: String,
    /// An installation that has a seat of `licence`, once a case needed one.
    pub activation: String,
    /// A reseller directly below `reseller`.
    pub below: String,
    pub api_key: String,
    pub user: String,
    /// The session in which [`Party::person`] calls.
    pub session: String,
    /// A user who holds no role.
    pub stranger: String,
    /// The address with which [`Party::person`] signs in.
    pub login: String,
    /// A token from an e-mail, or a code of an authenticator app, that was not used yet.
    pub proof: String,
    /// A product, which belongs to no party.
    pub product: String,
    /// A name that is still free.
    pub fresh: String,
}

/// One of the ids: its name, and where it is in [`Ids`].
pub type Place = (&'static str, fn(&mut Ids) -> &mut String);

pub const OWNED: [Place; 12] = [
    ("reseller", |ids| &mut ids.reseller),
    ("client", |ids| &mut ids.client),
    ("email", |ids| &mut ids.email),
    ("client_id", |ids| &mut ids.client_id),
    ("provision", |ids| &mut ids.provision),
    ("licence", |ids| &mut ids.licence),
    ("activation", |ids| &mut ids.activation),
    ("below", |ids| &mut ids.below),
    ("api_key", |ids| &mut ids.api_key),
    ("user", |ids| &mut ids.user),
    ("session", |ids| &mut ids.session),
    ("stranger", |ids| &mut ids.stranger),
];

impl Ids {
    /// Well-formed ids of records that do not exist; what [`OWNED`] does not name is taken from `self`.
    pub fn of_nothing(&self) -> Self {
        Self {
            reseller: "RS-0000000000000000".to_owned(),
            client: "CL-0000000000000000".to_owned(),
            email: "nobody@example.com".to_owned(),
            client_id: "00000000-0000-4000-8000-000000000000".to_owned(),
            provision: "PV-0000000000000000".to_owned(),
            licence: "LI-0000000000000000".to_owned(),
            key: "00000-00000-00000-00000-00000".to_owned(),
            activation: "AC-0000000000000000".to_owned(),
            below: "RS-0000000000000000".to_owned(),
            api_key: "AK-0000000000000000".to_owned(),
            user: "US-0000000000000000".to_owned(),
            session: "0000000000000000".to_owned(),
            stranger: "US-0000000000000000".to_owned(),
            ..self.clone()
        }
    }

    pub fn owned(&self) -> Vec<String> {
        let mut ids = self.clone();
        OWNED.iter().map(|(_, place)| place(&mut ids).clone()).collect()
    }

    pub fn with(&self, places: &[Place], other: &Self) -> Self {
        let (mut ids, mut other) = (self.clone(), other.clone());
        for (_, place) in places {
            place(&mut ids).clone_from(place(&mut other));
        }
        ids
    }
}

/// A reseller with credits and one record of each kind, among them an active client and a reseller below it.
#[derive(Clone)]
pub struct Party {
    /// Calls with the reseller's API key.
    pub caller: Caller,
    /// A signed-in user, once a case needed one.
    pub person: Option<Person>,
    pub ids: Ids,
}

impl Party {
    pub async fn new(world: &World) -> Self {
        let partner = world.partner("standard", 1_000_000).await;
        let (product, client) = (world.product(10).await, world.client(&partner).await);
        let activate = format!("/v1/clients/{client}/activate");
        let active = partner.caller.act(&activate).await.expect(200);
        let order = json!({"product": product, "client": client});
        let bought = partner.caller.post_once("/v1/provisions", "first", &order).await.expect(201);
        let name = world.fresh("below");
        let below = json!({"company_name": name, "email": format!("{name}@example.com"), "parent": partner.refid});
        let below = world.operator.post("/v1/resellers", &below).await.expect(201);
        let own = format!("/v1/resellers/{}", partner.refid);
        let own = partner.caller.get(&own).await.expect(200);
        let ids = Ids {
            user: own.text("user").to_owned(),
            email: active.text("email").to_owned(),
            client_id: active.text("client_id").to_owned(),
            provision: bought.text("refid").to_owned(),
            licence: bought.json["licences"][0]["refid"].as_str().unwrap().to_owned(),
            key: bought.json["licences"][0]["key"].as_str().unwrap().to_owned(),
            below: below.text("refid").to_owned(),
            api_key: refid_of(partner.caller.key().unwrap()),
            // These are placeholders until a case needs them.
            activation: "AC-000000000000000A".to_owned(),
            session: "000000000000000A".to_owned(),
            stranger: "US-000000000000000A".to_owned(),
            login: String::new(),
            proof: String::new(),
            reseller: partner.refid,
            fresh: world.fresh("fresh"),
            client,
            product,
        };
        Self { caller: partner.caller, person: None, ids }
    }

    pub async fn ready_for(world: &World, needs: Needs) -> Self {
        let mut party = Self::new(world).await;
        party.prepare(world, needs).await;
        party
    }

    /// Prepares what a case needs, even if an earlier case used it up.
    pub async fn prepare(&mut self, world: &World, needs: Needs) {
        let ids = &mut self.ids;
        match needs {
            Needs::Nothing => {}
            Needs::Staff => ids.user = world.member(&ids.reseller).await.refid,
            Needs::Stranger => {
                let body = json!({"name": "x", "email": format!("{}@example.com", world.fresh("stranger"))});
                let stranger = world.operator.post("/v1/users", &body).await.expect(201);
                stranger.text("refid").clone_into(&mut ids.stranger);
            }
            Needs::Confirmation => {
                let email = format!("{}@example.com", world.fresh("unconfirmed"));
                world.register(&email).await;
                ids.proof = world.mailed_token(&email).await;
            }
            Needs::Invitation => {
                let body = json!({"name": "x", "email": format!("{}@example.com", world.fresh("invited"))});
                let invited = world.operator.post("/v1/users", &body).await.expect(201);
                ids.proof = world.mailed_token(invited.text("email")).await;
            }
            Needs::Licence | Needs::ActiveLicence | Needs::SuspendedLicence => self.buy(world, needs).await,
            Needs::Activation => {
                self.buy(world, needs).await;
                let asked = json!({"key": self.ids.key, "fingerprint": INSTALLATION});
                let seated = world.nobody().post("/v1/activations", &asked).await.expect(201);
                seated.json["activation"]["refid"].as_str().unwrap().clone_into(&mut self.ids.activation);
            }
            Needs::Login | Needs::Picture | Needs::OfferedFactor | Needs::Factor => {
                self.sign_in(world, needs).await;
            }
        }
    }

    /// Buys a licence, and gives it the status that a case needs.
    async fn buy(&mut self, world: &World, needs: Needs) {
        let ids = &mut self.ids;
        let product = world.product(10).await;
        let order = json!({"reseller": ids.reseller, "product": product, "client": world.new_client()});
        let bought = world.operator.post_once("/v1/provisions", &world.fresh("order"), &order).await.expect(201);
        bought.text("refid").clone_into(&mut ids.provision);
        let licence = &bought.json["licences"][0];
        licence["refid"].as_str().unwrap().clone_into(&mut ids.licence);
        licence["key"].as_str().unwrap().clone_into(&mut ids.key);
        let path = format!("/v1/licences/{}", ids.licence);
        if needs != Needs::Licence {
            let _active = world.operator.act(&format!("{path}/activate")).await.expect(200);
        }
        if needs == Needs::SuspendedLicence {
            for caller in [&self.caller, &world.operator] {
                let _suspended = caller.act(&format!("{path}/suspend")).await.expect(200);
            }
        }
    }

    async fn sign_in(&mut self, world: &World, needs: Needs) {
        let mut person = world.person().await;
        if needs == Needs::Picture {
            let media = [("content-type", "image/png")];
            let picture = Some(PICTURE.to_vec());
            let kept = person.caller.send("PUT", "/v1/me/avatar", &media, picture);
            let _kept = kept.await.expect(204);
        }
        if [Needs::OfferedFactor, Needs::Factor].contains(&needs) {
            let secret = world.offered_factor(&person).await;
            self.ids.proof = world.app_code(&secret);
            if needs == Needs::Factor {
                self.ids.proof = world.enable_factor(&mut person, &secret).await;
            }
        }
        self.ids.session = session_of(&person).await;
        self.ids.login.clone_from(&person.email);
        if needs == Needs::Factor {
            self.ids.stranger.clone_from(&person.refid);
        }
        self.person = Some(person);
    }

    /// A caller who may send a case's request: with an API key, except where only a signed-in user may.
    pub fn caller(&self, world: &World, who: Who) -> Caller {
        match who {
            Who::Anybody => world.nobody(),
            Who::SignedIn => self.person.as_ref().expect("somebody").caller.clone(),
            Who::Owner => self.caller.clone(),
            Who::Operator | Who::OperatorByBody => world.operator.clone(),
        }
    }

    /// This party's ids, but with a client, a licence, an API key, a user and a session that belong to no reseller.
    pub async fn standalone(&self, world: &World) -> Ids {
        let client = world.operator.post("/v1/clients", &world.new_client()).await;
        let client = client.expect(201);
        let licence = json!({"product": self.ids.product, "client": client.text("refid")});
        let licence = world.operator.post("/v1/licences", &licence).await.expect(201);
        let name = json!({"name": "an operator's"});
        let api_key = world.operator.post("/v1/api-keys", &name).await.expect(201);
        let person = world.person().await;
        Ids {
            session: session_of(&person).await,
            user: person.refid,
            client: client.text("refid").to_owned(),
            licence: licence.text("refid").to_owned(),
            email: client.text("email").to_owned(),
            client_id: client.text("client_id").to_owned(),
            api_key: api_key.text("refid").to_owned(),
            ..self.ids.clone()
        }
    }
}

pub async fn session_of(person: &Person) -> String {
    let sessions = person.caller.get("/v1/me/sessions").await.expect(200);
    let all = sessions.json["data"].as_array().unwrap();
    let own = all.iter().find(|session| session["current"] == true);
    own.unwrap()["id"].as_str().unwrap().to_owned()
}

pub fn refid_of(key: &str) -> String {
    key.split_once('.').unwrap().0.to_owned()
}
