//! Users who sign in to the demo: an operator, a member of its reseller, and a customer.
//!
//! Invariant: each user has a random password, kept beside the API key. It is hashed only while the demo is created,
//! because hashing is slow.

use data_encoding::BASE64URL_NOPAD;
use purser_domain::basic::{ResellerRefid, Time};
use purser_domain::people::{GivenPassword, Password, PasswordPolicy, User};
use purser_edge::App;
use purser_edge::caller::passwords;
use purser_store::StoreError;
use purser_store::engine::NoView;
use purser_store::engine::secrets::random;
use purser_store::people::account::{Account, AccountChange};
use serde::{Deserialize, Serialize};

use super::{BUYER, MEMBER, failed, request, valid};

const OPERATOR: &str = "operator@example.com";

#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    pub email: String,
    pub password: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Logins {
    pub operator: Login,
    pub member: Login,
    /// A user bound to a client of the demo reseller.
    pub customer: Login,
}

impl Logins {
    pub(super) fn draw() -> Result<Self, StoreError> {
        Ok(Self { operator: Login::draw(OPERATOR)?, member: Login::draw(MEMBER)?, customer: Login::draw(BUYER.2)? })
    }
}

/// Creates the users that are missing, with these passwords and with confirmed addresses.
pub(super) async fn make(logins: &Logins, app: &App, reseller: &ResellerRefid, now: Time) -> Result<(), StoreError> {
    let operator = |user: User| User { operator: true, ..user };
    let member = |user: User| User { reseller: Some(reseller.clone()), ..user };
    let Logins { operator: one, member: two, customer: three } = logins;
    tokio::try_join!(
        Box::pin(one.make(app, "Olivia Operator", operator, now)),
        Box::pin(two.make(app, "Mika Member", member, now)),
        Box::pin(three.make(app, "Carla Customer", |user| user, now)),
    )?;
    bind_customer(app, now).await
}

impl Login {
    fn draw(email: &str) -> Result<Self, StoreError> {
        Ok(Self { email: email.to_owned(), password: BASE64URL_NOPAD.encode(&random::<16>()?) })
    }

    /// Creates the user unless one with this address exists, and sets the password.
    async fn make(
        &self,
        app: &App,
        name: &str,
        holds: impl Fn(User) -> User + Send + Sync,
        now: Time,
    ) -> Result<(), StoreError> {
        let email = valid(self.email.clone())?;
        let hash = passwords::hash(&self.password(&email)?).await;
        let hash = hash.map_err(|error| failed(&error))?;
        if app.store.user_with_address(&email).await?.is_none() {
            let name = valid(name.to_owned())?;
            app.store.create_user::<NoView>(&email, &name, holds, None, &request(now)).await?;
        }
        let user = app.store.user_with_address(&email).await?;
        let user = user.ok_or_else(|| failed(&"a login that was made is gone"))?;
        let set = |account: &Account| {
            Ok(Some(AccountChange {
                user: Some(account.user.proven(Some(account.user.name.clone()), now)),
                credentials: Some(account.credentials.with_password(hash.clone(), now)),
                sessions: None,
            }))
        };
        app.store.change_account::<NoView>(&user.refid, &request(now), set).await.map(drop)
    }

    /// The password as the domain accepts it under the default policy: it is random, so a stricter policy configured
    /// for people need not apply.
    fn password(&self, email: &purser_domain::basic::email::EmailAddress) -> Result<Password, StoreError> {
        let given: GivenPassword = valid(self.password.clone())?;
        let accepted = PasswordPolicy::default().accept(given, email, None, "");
        accepted.map_err(|error| failed(&error))
    }
}

/// Binds the customer to the client with the same e-mail address, unless somebody has changed either since.
async fn bind_customer(app: &App, now: Time) -> Result<(), StoreError> {
    let email = valid(BUYER.2.to_owned())?;
    let Some(client) = app.store.client_by_email(&email).await? else {
        return Ok(());
    };
    match app.store.bind_client_by_address(&client, &request(now)).await {
        Err(StoreError::Refused(_)) => Ok(()),
        other => other,
    }
}
