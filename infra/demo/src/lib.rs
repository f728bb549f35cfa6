//! Creates sample records: a few products, a reseller with credits, its clients, and users who can sign in.
//!
//! Invariant: the records are created once. The random credentials are on disk before the first record is created,
//! and each record is created only if it is missing. So the next start completes one that was interrupted, and the
//! credentials that are shown always work.

pub mod history;
mod logins;

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::BASE64URL_NOPAD;
use purser_api::clients::view::ClientView;
use purser_api::ledger::view::EntryView;
use purser_api::products::view::ProductView;
use purser_api::provisions::view::ProvisionView;
use purser_api::resellers::view::ResellerView;
use purser_domain::basic::{ApiKeyRefid, ResellerRefid, Time};
use purser_domain::licences::term::TermError;
use purser_domain::licences::{Grants, KeyFormat, ParallelUses, Product, Terms};
use purser_domain::money::{Quantity, Tier};
use purser_domain::parties::{ClientStatus, Metadata, NewClient, NewReseller, ResellerStatus};
use purser_domain::people::caller::api_key;
use purser_domain::people::{Actor, ApiKey, KeyOwner, Role, Scopes};
use purser_edge::App;
use purser_store::engine::item::Origin;
use purser_store::engine::secrets::{random, sha256_hex};
use purser_store::engine::{Fingerprint, IdempotencyKey, Request, Stamp};
use purser_store::money::credits::TopUp;
use purser_store::money::provision::{Buyer, Buyers, ProvisionCommand, Purchase, Units};
use purser_store::parties::client::ClientCreation;
use purser_store::{Policy, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

pub use self::logins::{Login, Logins};
use purser_local::run::folder::{FolderError, write_private};

/// The actor, cause and idempotency key of all demo records.
const DEMO: &str = "demo";

pub const COMPANY: &str = "Elite Global Partners";

/// The e-mail address of the demo reseller and of the user who is its member.
const MEMBER: &str = "elite@example.com";

/// Reference, name, price, tiers, days and parallel uses of a product.
type ProductRow = (&'static str, &'static str, u64, Option<&'static [Tier]>, Option<&'static str>, Option<u64>);
const BOUGHT: &str = "PROD-001";
const PRODUCTS: [ProductRow; 3] = [
    (BOUGHT, "Pro, one year", 700, None, Some("P1Y"), Some(3)),
    ("PROD-002", "Team, one year", 2_400, Some(&[Tier::Gold, Tier::Platinum]), Some("P1Y"), Some(10)),
    ("PROD-003", "Lifetime", 5_000, None, None, None),
];

/// External id, name, e-mail address and status of a client.
type ClientRow = (&'static str, &'static str, &'static str, ClientStatus);
const BUYER: ClientRow = ("DEMO-1001", "Müller & Söhne GmbH", "mueller@example.com", ClientStatus::Active);
const CLIENTS: [ClientRow; 2] = [
    ("DEMO-1002", "株式会社さくら", "sakura@example.com", ClientStatus::Active),
    ("DEMO-1003", "شركة النور", "alnour@example.com", ClientStatus::Pending),
];
const STANDALONE: ClientRow = ("DEMO-1004", "Ζαχαροπλαστεία Αθηνά", "athina@example.com", ClientStatus::Pending);

const METADATA: &str = r##"{"name": "Elite Global", "logo": "https://example.com/elite.svg",
    "colours": {"primary": "#7a4b00"}}"##;

#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    pub reseller: ResellerRefid,
    pub api_key: String,
    /// None in a folder made by a release that had no sign-in.
    pub logins: Option<Logins>,
}

#[derive(Debug, Error)]
pub enum DemoError {
    #[error("could not create the demo data: {0}; --no-demo starts without it")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Folder(#[from] FolderError),
    #[error("{}: {error}; --no-demo starts without the demo data", path.display())]
    File { path: PathBuf, error: io::Error },
}

/// Creates the sample records unless they exist, and returns the credentials.
pub async fn ensure(app: &App, folder: Option<&Path>) -> Result<Credentials, DemoError> {
    let Some(folder) = folder else {
        let credentials = draw(app)?;
        make(app, &credentials).await?;
        return Ok(credentials);
    };
    let done = folder.join("demo.json");
    let before = read(&done)?;
    if let Some(whole) = before.as_ref().filter(|it| it.logins.is_some()) {
        return Ok(whole.clone());
    }
    // The draft is renamed only when every credential in it works.
    let draft = folder.join("demo-draft.json");
    let credentials = drafted(app, &draft, before)?;
    make(app, &credentials).await?;
    std::fs::rename(&draft, &done).map_err(|error| DemoError::File { path: done, error })?;
    Ok(credentials)
}

/// Returns the credentials that an interrupted start left in the draft, or draws new ones. Those in `before` are kept.
fn drafted(app: &App, draft: &Path, before: Option<Credentials>) -> Result<Credentials, DemoError> {
    if let Some(whole) = read(draft)?.filter(|it| it.logins.is_some()) {
        return Ok(whole);
    }
    let credentials = match read(draft)?.or(before) {
        Some(known) => Credentials { logins: Some(Logins::draw()?), ..known },
        None => draw(app)?,
    };
    let text = serde_json::to_string_pretty(&credentials).map_err(|error| failed(&error))?;
    write_private(draft, &text)?;
    Ok(credentials)
}

fn read(path: &Path) -> Result<Option<Credentials>, DemoError> {
    let refused = |error: io::Error| DemoError::File { path: path.to_owned(), error };
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(refused)?;
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| refused(error.into()))
}

fn draw(app: &App) -> Result<Credentials, StoreError> {
    let secret = BASE64URL_NOPAD.encode(&random::<32>()?);
    let reseller = app.store.new_reseller_refid()?;
    Ok(Credentials {
        api_key: format!("{}.{reseller}.{secret}", app.store.new_api_key_refid()?),
        reseller,
        logins: Some(Logins::draw()?),
    })
}

async fn make(app: &App, credentials: &Credentials) -> Result<(), StoreError> {
    let now = app.clock.now();
    let reseller = &credentials.reseller;
    for row in PRODUCTS {
        make_product(app, row, now).await?;
    }
    make_reseller(app, reseller, now).await?;
    add_credits(app, reseller, now).await?;
    provision(app, reseller, now).await?;
    for row in CLIENTS {
        make_client(app, row, Some(reseller), now).await?;
    }
    make_client(app, STANDALONE, None, now).await?;
    make_api_key(app, credentials, now).await?;
    match &credentials.logins {
        Some(logins) => Box::pin(logins::make(logins, app, reseller, now)).await,
        None => Ok(()),
    }
}

async fn make_product(app: &App, row: ProductRow, now: Time) -> Result<(), StoreError> {
    let (reference, name, price, tiers, term, uses) = row;
    let product = Product {
        reference: valid(reference.to_owned())?,
        name: valid(name.to_owned())?,
        price: valid(price)?,
        tiers: tiers.map(<[Tier]>::to_vec),
        terms: Terms::new(None, term.map(str::parse).transpose().map_err(|it: TermError| failed(&it))?)
            .map_err(|it| failed(&it))?,
        parallel_uses: uses.map(valid::<ParallelUses, _>).transpose()?,
        grants: Grants::default(),
        key_format: KeyFormat::Groups,
        active: true,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    if app.store.product(&product.reference).await?.is_none() {
        app.store.create_product::<ProductView>(&product, &request(now)).await?;
    }
    Ok(())
}

async fn make_reseller(app: &App, refid: &ResellerRefid, now: Time) -> Result<(), StoreError> {
    if app.store.reseller(refid).await?.is_some() {
        return Ok(());
    }
    let metadata: Map<String, Value> = serde_json::from_str(METADATA).map_err(|error| failed(&error))?;
    let metadata = Metadata::new(metadata);
    let new = NewReseller {
        company_name: valid(COMPANY.to_owned())?,
        email: valid(MEMBER.to_owned())?,
        tier: Tier::Gold,
        low_credit_threshold: app.config.low_credit_threshold,
        metadata: metadata.map_err(|error| failed(&format_args!("{error:?}")))?,
        status: ResellerStatus::Active,
    };
    app.store.onboard_reseller::<ResellerView>(refid, &new, None, &request(now)).await.map(drop)
}

/// The top-up is stored under a fixed idempotency key, so repeating it adds nothing.
async fn add_credits(app: &App, reseller: &ResellerRefid, now: Time) -> Result<(), StoreError> {
    let top_up = TopUp {
        reseller,
        amount: valid(50_000)?,
        reference: Some(valid("DEMO-TOP-UP".to_owned())?),
        description: Some(valid("Opening balance".to_owned())?),
    };
    app.store.add_credits::<EntryView>(&top_up, &once("top-up", now)?).await.map(drop)
}

/// The provision is stored under a fixed idempotency key, so repeating it buys nothing.
async fn provision(app: &App, reseller: &ResellerRefid, now: Time) -> Result<(), StoreError> {
    let command = ProvisionCommand {
        reseller,
        purchase: Purchase::Product(Units {
            product: valid(BOUGHT.to_owned())?,
            each: Quantity::ONE,
            buyers: Buyers::One(Buyer::New(Box::new(new_client(BUYER)?))),
        }),
        description: None,
        asker: None,
    };
    let made = store_for(app, BUYER.3).provision::<ProvisionView>(&command, &once("provision", now)?).await;
    made.map(drop)
}

async fn make_client(app: &App, row: ClientRow, reseller: Option<&ResellerRefid>, now: Time) -> Result<(), StoreError> {
    let new = new_client(row)?;
    let creation = ClientCreation { new: &new, reseller, user: None, asker: None };
    let created = store_for(app, row.3).create_client::<ClientView>(&creation, &request(now)).await;
    match created {
        // The client exists, or somebody has changed the demo data since. Nothing is overwritten.
        Err(StoreError::Refused(_)) => Ok(()),
        other => other.map(drop),
    }
}

fn new_client((client_id, name, email, _): ClientRow) -> Result<NewClient, StoreError> {
    Ok(NewClient {
        name: valid(name.to_owned())?,
        email: valid(email.to_owned())?,
        phone: None,
        metadata: Metadata::default(),
        client_id: valid(client_id.to_owned())?,
        older_ids: Vec::new(),
    })
}

async fn make_api_key(app: &App, credentials: &Credentials, now: Time) -> Result<(), StoreError> {
    // Credentials from before name no reseller between the two.
    let mut parts = credentials.api_key.split('.');
    let (refid, secret) = (parts.next().and_then(ApiKeyRefid::parse), parts.next_back());
    let (refid, secret) = refid.zip(secret).ok_or_else(|| failed(&"the API key is none"))?;
    if !app.store.knows_api_key(&refid).await? {
        let made = ApiKey {
            refid,
            name: valid("Demo".to_owned())?,
            role: Role::Reseller(credentials.reseller.clone()),
            owner: KeyOwner::Deployment,
            scopes: Scopes::all(),
            expires_at: now.plus(api_key::LASTS),
            secret_sha256: sha256_hex(secret.as_bytes()),
            created_at: now,
            version: 1,
        };
        // There is no caller, so there is no response to store.
        app.store.create_api_key(&made, None, &request(now), Vec::new()).await?;
    }
    Ok(())
}

/// A request without an idempotency key: the functions above create nothing that exists already.
fn request(now: Time) -> Request {
    Request { key: None, stamp: stamp(), now }
}

fn once(what: &str, now: Time) -> Result<Request<IdempotencyKey>, StoreError> {
    let fingerprint = Fingerprint::of(DEMO, DEMO, &what)?;
    Ok(Request {
        key: IdempotencyKey { tenant: DEMO.to_owned(), key: DEMO.to_owned(), fingerprint, doubt: None },
        stamp: stamp(),
        now,
    })
}

/// The store, with `client_status` for new clients and without binding: the demo binds its client later.
fn store_for(app: &App, client_status: ClientStatus) -> Store {
    app.store.under(Policy { client_status, bind_by_address: false, ..app.config.policy() })
}

fn stamp() -> Stamp {
    Stamp {
        actor: Actor::new(DEMO),
        // A command recognises its own writes by the request id, so each command needs a different one.
        request: uuid::Uuid::new_v4().to_string(),
        origin: Origin::Demo,
        cause: DEMO.to_owned(),
    }
}

fn valid<T, V>(value: V) -> Result<T, StoreError>
where
    T: TryFrom<V>,
    T::Error: Display,
{
    T::try_from(value).map_err(|error| failed(&error))
}

fn failed(error: &dyn Display) -> StoreError {
    StoreError::Failed(error.to_string())
}
