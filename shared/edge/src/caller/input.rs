//! The argument of every handler: a request whose parts were checked in a fixed order.
//!
//! Invariant: checks happen in the order 401, 403/404, idempotency key or query, body (docs/rules.md, "Errors"). A
//! handler can't change that order, because keys, queries and bodies are only available through an [`Input`], which
//! reads them last.

use std::ops::Deref;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::request::Parts;
use purser_domain::basic::{
    ActivationRefid, ApiKeyRefid, ClientRefid, EntryRefid, LicenceRefid, ResellerRefid, UserRefid,
};
use purser_domain::licences::{Product, ProductReference};
use purser_domain::money::{Entry, Wallet};
use purser_domain::parties::{Access, Client, Reseller};
use purser_domain::people::{Scope, User};
use purser_domain::refusal::{Refusal, ResourceKind};
use purser_store::StoreError;
use purser_store::licences::licence::ShownLicence;

use crate::caller::call::{Anybody, Call, Needs, SignedIn};
use crate::http::extract::{Content, Terms};
use crate::http::problem::Problem;
use crate::process::app::App;

/// A request, as a tuple in the order in which its parts are checked: the caller, the subject that the path names,
/// the terms (idempotency key, version or query), and the content of the body.
#[derive(Debug)]
pub struct Input<W, S = (), T = (), C = ()>(pub W, pub S, pub T, pub C);

impl<W: Asker, S: Subject<W>, T: Terms, C: Content> FromRequest<App> for Input<W, S, T, C> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let who = W::from_request_parts(&mut parts, app).await?;
        let subject = S::find(&who, &mut parts, app).await?;
        let read = async {
            let terms = T::read(&parts)?;
            Ok(match C::read_doubting(&parts, body).await? {
                (content, None) => (terms, content),
                (content, Some(refused)) => (terms.doubt(refused)?, content),
            })
        };
        match read.await {
            Ok((terms, content)) => Ok(Self(who, subject, terms, content)),
            Err(problem) => Err(subject.refuse(app, problem).await),
        }
    }
}

/// The caller. Extraction fails with 401, or with 403 for a caller that may not use the route at all.
pub trait Asker: FromRequestParts<App, Rejection = Problem> + Send + Sync {}

impl Asker for Anybody {}
impl Asker for Call {}
impl Asker for SignedIn {}

/// Defines calls on routes that need something else than other routes with the same method: the standing that a
/// reseller must have at least, and the scopes of the caller.
macro_rules! calls {
    ($($(#[$says:meta])+ $call:ident: $access:ident, $($scope:ident)+;)+) => {$(
        $(#[$says])+
        #[derive(Debug, Clone)]
        pub struct $call(Call);

        impl FromRequestParts<App> for $call {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                let needs = Needs { access: Access::$access, scopes: &[$(Scope::$scope),+] };
                Call::admitted(parts, app, needs).await.map(Self)
            }
        }

        wraps_call!($call);
    )+};
}

macro_rules! wraps_call {
    ($call:ident $(<$inner:ident>)?) => {
        impl$(<$inner: AsRef<Call>>)? Deref for $call$(<$inner>)? {
            type Target = Call;

            fn deref(&self) -> &Call {
                self.0.as_ref()
            }
        }

        impl$(<$inner: AsRef<Call>>)? AsRef<Call> for $call$(<$inner>)? {
            fn as_ref(&self) -> &Call {
                self.0.as_ref()
            }
        }

        impl$(<$inner: AsRef<Call> + Asker>)? Asker for $call$(<$inner>)? {}
    };
}

calls! {
    /// A call for the caller's own profile, which a reseller may see even while its application is pending.
    Applicant: Profile, Read;
    /// A call that creates clients, or buys for them.
    Selling: Change, Sell;
    /// A call that decides who has access.
    Admin: Change, Admin;
    /// A call that takes on a company, whose first user it makes.
    Onboarding: Change, Admin Manage;
    /// A call that ends somebody's access, which a suspended reseller may still do.
    Ending: End, Admin;
    /// A call that moves credits other than by a purchase.
    Paying: Change, Money;
}

/// A call of an operator.
#[derive(Debug, Clone)]
pub struct Operator<C = Call>(C);

wraps_call!(Operator<C>);

impl<C> FromRequestParts<App> for Operator<C>
where
    C: AsRef<Call> + FromRequestParts<App, Rejection = Problem>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let call = C::from_request_parts(parts, app).await?;
        call.as_ref().caller.must_operate()?;
        Ok(Self(call))
    }
}

/// A call that creates lasting access, for which a user must have proven lately who they are. So a stolen session can't
/// outlive itself.
#[derive(Debug, Clone)]
pub struct Proven<C>(C);

wraps_call!(Proven<C>);

impl<C> FromRequestParts<App> for Proven<C>
where
    C: AsRef<Call> + FromRequestParts<App, Rejection = Problem>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let call = C::from_request_parts(parts, app).await?;
        call.as_ref().must_be_proven()?;
        Ok(Self(call))
    }
}

impl AsRef<Call> for Call {
    fn as_ref(&self) -> &Call {
        self
    }
}

/// The resource that a request is about. Finding it fails with 404 if there is none, or if the caller may not reach
/// it.
pub trait Subject<W>: Sized + Send + Sync {
    fn find(who: &W, parts: &mut Parts, app: &App) -> impl Future<Output = Result<Self, Problem>> + Send;

    /// What to answer when a later check failed with `problem`. If `find` does not check for existence, to save valid
    /// requests a read, this checks it, because 404 takes precedence.
    fn refuse(&self, _: &App, problem: Problem) -> impl Future<Output = Problem> + Send {
        async { problem }
    }
}

/// The subject of a request whose path names no resource.
impl<W: Sync> Subject<W> for () {
    async fn find(_: &W, _: &mut Parts, _: &App) -> Result<Self, Problem> {
        Ok(())
    }
}

pub trait PathId: Sized + Send + Sync {
    const WHAT: ResourceKind;
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! path_ids {
    ($($id:ident $what:ident),*) => {$(
        impl PathId for $id {
            const WHAT: ResourceKind = ResourceKind::$what;
            fn parse(text: &str) -> Option<Self> {
                $id::parse(text)
            }
        }
    )*};
}
path_ids!(
    ClientRefid Client, LicenceRefid Licence, ResellerRefid Reseller, EntryRefid Provision, ApiKeyRefid ApiKey,
    UserRefid User, ActivationRefid Activation
);

impl PathId for ProductReference {
    const WHAT: ResourceKind = ResourceKind::Product;
    fn parse(text: &str) -> Option<Self> {
        Self::try_from(text.to_owned()).ok()
    }
}

/// The id in a path, where the command itself checks that the resource exists. A malformed id is refused like an
/// unknown one.
#[derive(Debug, Clone, Copy)]
pub struct Named<I>(pub I);

impl<I: PathId, W: Sync> Subject<W> for Named<I> {
    async fn find(_: &W, parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let ids = ids(parts, app).await;
        let id = ids.first().and_then(|text| I::parse(text));
        id.map(Self).ok_or_else(|| Refusal::NotFound(I::WHAT).into())
    }
}

/// The ids that a path names, in its order.
async fn ids(parts: &mut Parts, app: &App) -> Vec<String> {
    let path = <Path<Vec<(String, String)>> as FromRequestParts<App>>::from_request_parts(parts, app).await;
    path.map_or_else(|_| Vec::new(), |Path(named)| named.into_iter().map(|(_, id)| id).collect())
}

/// A resource, and the id of something that is part of it, which the path names after it. The command itself checks
/// that the part exists.
#[derive(Debug, Clone)]
pub struct Within<R, I>(pub R, pub I);

impl<R: Resource, I: PathId, W: AsRef<Call> + Sync> Subject<W> for Within<R, I> {
    async fn find(who: &W, parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Found(whole) = Found::<R>::find(who, parts, app).await?;
        let ids = ids(parts, app).await;
        let part = ids.get(1).and_then(|text| I::parse(text));
        part.map(|part| Self(whole, part)).ok_or_else(|| Refusal::NotFound(I::WHAT).into())
    }
}

/// The resource that a path names, read from the table.
#[derive(Debug, Clone)]
pub struct Found<R>(pub R);

/// A resource that is read from the table before the rest of the request is checked.
pub trait Resource: Sized + Send + Sync {
    type Id: PathId;

    /// The resource; `None` if there is none or the caller may not reach it (rule A8).
    fn find(app: &App, call: &Call, id: &Self::Id) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;
}

impl<R: Resource, W: AsRef<Call> + Sync> Subject<W> for Found<R> {
    async fn find(who: &W, parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Named(id) = Named::<R::Id>::find(who, parts, app).await?;
        let found = R::find(app, who.as_ref(), &id).await?;
        found.map(Self).ok_or_else(|| Refusal::NotFound(R::Id::WHAT).into())
    }
}

impl Resource for Client {
    type Id = ClientRefid;

    async fn find(app: &App, call: &Call, id: &ClientRefid) -> Result<Option<Self>, StoreError> {
        let found = app.store.client_of(id, call.caller.role.reseller()).await?;
        Ok(found.filter(|client| call.may_reach(client)))
    }
}

impl Resource for ShownLicence {
    type Id = LicenceRefid;

    async fn find(app: &App, call: &Call, id: &LicenceRefid) -> Result<Option<Self>, StoreError> {
        app.store.licence(id, call.caller.role.reseller(), call.now).await
    }
}

impl Resource for Product {
    type Id = ProductReference;

    async fn find(app: &App, _: &Call, id: &ProductReference) -> Result<Option<Self>, StoreError> {
        app.store.product(id).await
    }
}

impl Resource for Reseller {
    type Id = ResellerRefid;

    async fn find(app: &App, call: &Call, id: &ResellerRefid) -> Result<Option<Self>, StoreError> {
        if call.caller.owns(Some(id)) { app.store.reseller(id).await } else { Ok(None) }
    }
}

impl Resource for Wallet {
    type Id = ResellerRefid;

    async fn find(app: &App, call: &Call, id: &ResellerRefid) -> Result<Option<Self>, StoreError> {
        if call.caller.owns(Some(id)) { app.store.wallet(id).await } else { Ok(None) }
    }
}

impl Resource for Entry {
    type Id = EntryRefid;

    async fn find(app: &App, call: &Call, id: &EntryRefid) -> Result<Option<Self>, StoreError> {
        let found = app.store.purchase(id).await?;
        Ok(found.filter(|entry| call.caller.owns(Some(&entry.reseller))))
    }
}

impl Resource for User {
    type Id = UserRefid;

    async fn find(app: &App, call: &Call, id: &UserRefid) -> Result<Option<Self>, StoreError> {
        let found = app.store.user(id).await?;
        Ok(found.filter(|user| call.may_manage(user)))
    }
}

/// The reseller in a path: for a reseller only itself, for an operator any.
#[derive(Debug, Clone)]
pub struct OwnReseller(pub ResellerRefid);

impl<W: AsRef<Call> + Sync> Subject<W> for OwnReseller {
    async fn find(who: &W, parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Named(reseller) = Named::<ResellerRefid>::find(who, parts, app).await?;
        let own = who.as_ref().caller.owns(Some(&reseller));
        own.then_some(Self(reseller)).ok_or_else(|| Refusal::NotFound(ResourceKind::Reseller).into())
    }

    async fn refuse(&self, app: &App, problem: Problem) -> Problem {
        self.missing_or(app, problem).await
    }
}

impl OwnReseller {
    /// What to answer when a check failed with `problem`: that, if there is such a reseller, and otherwise 404.
    pub async fn missing_or(&self, app: &App, problem: Problem) -> Problem {
        match app.store.wallet(&self.0).await {
            Ok(Some(_)) => problem,
            Ok(None) => Refusal::NotFound(ResourceKind::Reseller).into(),
            Err(error) => error.into(),
        }
    }
}

/// A subject that its owner may see but only operators may change: other resellers get 404, the owner gets 403.
#[derive(Debug, Clone)]
pub struct Operated<S>(pub S);

impl<W: AsRef<Call> + Sync, S: Subject<W>> Subject<W> for Operated<S> {
    async fn find(who: &W, parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let subject = S::find(who, parts, app).await?;
        who.as_ref().caller.must_operate()?;
        Ok(Self(subject))
    }

    async fn refuse(&self, app: &App, problem: Problem) -> Problem {
        self.0.refuse(app, problem).await
    }
}
