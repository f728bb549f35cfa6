//! `mint-licence`: an operator gives a licence, free of charge: for direct sales, migrations and gifts (rule C1).
//!
//! Invariant: only operators mint; a reseller's licences are paid for by a provision.

use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, Time};
use purser_domain::licences::{
    Comments, DomainRule, Feature, GrantsChange, IpRange, Lease, LicenceChange, LicenceKey, NotesChange, ParallelUses,
    ProductReference, Term, TermsKind,
};
use purser_domain::parties::Metadata;
use purser_edge::prelude::*;
use purser_store::licences::mint::{MintCommand, MintFor};
use serde_json::{Map, Value};

use crate::clients::body::metadata;
use crate::licences::body::{Domains, Features, IpRanges, printed};
use crate::licences::view::LicenceView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(mint_licence))
}

/// A licence to mint, for one of `client`, `client_id` and `email`. What is left out is as the product says.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"product": "PROD-001", "client": "CL-7ZK3M9QWX2ABCDEF"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct MintLicence {
    #[schema(value_type = ProductReference)]
    product: String,
    /// The client that will own the licence.
    #[schema(value_type = Option<ClientRefid>)]
    client: Option<String>,
    /// The external id of the client that will own it. If no client has it yet, the licence waits for one.
    client_id: Option<ClientId>,
    /// The address of the client that will own it. If no client has it yet, the licence waits for one whose user has
    /// confirmed the address.
    email: Option<EmailAddress>,
    /// The key, which no other licence may have; a new one in the product's format if omitted.
    key: Option<LicenceKey>,
    kind: Option<TermsKind>,
    /// How long one term lasts.
    term: Option<Term>,
    /// When the licence expires, whatever its term; its term then only matters for renewals.
    expires_at: Option<Time>,
    /// Versions that were released until then are covered.
    updates_until: Option<Time>,
    support_until: Option<Time>,
    parallel_uses: Option<ParallelUses>,
    lease: Option<Lease>,
    #[schema(value_type = Option<Vec<Feature>>, max_items = 32)]
    features: Option<Features>,
    #[schema(value_type = Option<Vec<DomainRule>>, max_items = 32)]
    domains: Option<Domains>,
    #[schema(value_type = Option<Vec<IpRange>>, max_items = 32)]
    ip_ranges: Option<IpRanges>,
    comments: Option<Comments>,
    /// Any JSON object, at most 16 KiB; keys that look like credentials are refused.
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Map<String, Value>>,
}

/// Mint a licence, free of charge
#[utoipa::path(
    post, path = "/v1/licences", tag = "licences", request_body = MintLicence,
    params(
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeated request gets the first answer."),
    ),
    responses(
        (status = 201, body = LicenceView),
        Refused<(Forbidden, NotFound, DuplicateKey, SensitiveMetadata, MetadataTooLarge, AnswerErased)>,
    )
)]
async fn mint_licence(
    State(app): State<App>,
    Input(call, (), key, Body(body)): Input<Operator, (), Option<Key>, Body<MintLicence>>,
) -> Result<Response, Problem> {
    let (key, command) = key.judged(|| body.clone().command())?;
    let request = call.repeatable(key, &MintLicence { key: printed(&app, body.key.as_ref())?, ..body })?;
    Ok(answer::created(app.store.mint_licence::<LicenceView>(&command, &request).await?))
}

impl MintLicence {
    fn command(self) -> Result<MintCommand, Problem> {
        let unknown = || Refusal::NotFound(ResourceKind::Product);
        let owner = owner(self.client, self.client_id, self.email)?;
        Ok(MintCommand {
            product: ProductReference::try_from(self.product).map_err(|_| unknown())?,
            owner,
            key: self.key,
            change: LicenceChange {
                expires_at: self.expires_at.map(Some),
                kind: self.kind,
                term: self.term.map(Some),
                parallel_uses: self.parallel_uses.map(Some),
                grants: GrantsChange {
                    lease: self.lease.map(Some),
                    features: self.features.map(Vec::from),
                    domains: self.domains.map(Vec::from),
                    ip_ranges: self.ip_ranges.map(Vec::from),
                    ..GrantsChange::default()
                },
                updates_until: self.updates_until.map(Some),
                support_until: self.support_until.map(Some),
            },
            notes: NotesChange {
                comments: self.comments.map(Some),
                metadata: self.metadata.map(|object| metadata(&object)).transpose()?,
            },
        })
    }
}

fn owner(client: Option<String>, id: Option<ClientId>, email: Option<EmailAddress>) -> Result<MintFor, Problem> {
    match (client, id, email) {
        (Some(text), None, None) => {
            let unknown = || Refusal::NotFound(ResourceKind::Client).for_client(None);
            Ok(MintFor::Client(ClientRefid::parse(&text).ok_or_else(unknown)?))
        }
        (None, Some(id), None) => Ok(MintFor::ClientId(id)),
        (None, None, Some(email)) => Ok(MintFor::Email(email)),
        (None, None, None) => Err(Problem::invalid("/client", "is required, or `client_id`, or `email`")),
        _ => Err(Problem::invalid("/client", "can't be combined with `client_id` or `email`: give one of them")),
    }
}
