//! E-mails about API keys to the people who decide about access, so that they notice a key that should not be
//! (docs/rules.md, "Credentials").

use purser_domain::basic::ApiKeyRefid;
use purser_domain::people::{KeyOwner, OwnedKey, User};
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::mail::Mail;
use purser_mails::accounts::Recipient;

use crate::events::operators::{tell_operators, tell_owners};

/// Tells, with the e-mail that `write` writes, the owners of the reseller that a key acts for and, if the key is an
/// operator's or belongs to one, the operators. `write` gets the key and the name of its maker. They are told even if
/// the key has ended meanwhile: a thief's may be used within a second.
pub(super) async fn tell(
    app: &App,
    delivery: &Delivery,
    (key, owner): (&ApiKeyRefid, &KeyOwner),
    write: impl Fn(Recipient<'_>, &OwnedKey, &str) -> Result<Mail, String> + Sync,
) -> Result<(), String> {
    let Some(key) = app.store.api_key(key).await? else { return Ok(()) };
    let (maker, operated) = match owner {
        KeyOwner::User(user) => {
            let user = app.store.user(user).await?;
            let operated = user.as_ref().is_none_or(|it| it.operator);
            (user.map_or_else(|| "a former user".to_owned(), |it| it.name.to_string()), operated)
        }
        KeyOwner::Deployment => ("the deployment's first key".to_owned(), true),
        KeyOwner::Key(key) => (format!("the API key {key}"), key_is_operated(app, key).await?),
    };
    let mut told = Ok(());
    let brand = match key.role.reseller() {
        Some(reseller) => app.store.reseller(reseller).await?,
        None => None,
    };
    if let Some(reseller) = key.role.reseller() {
        let mail = |user: &User| write(Recipient::of(app, user, brand.as_ref()), &key, &maker);
        told = tell_owners(app, delivery, reseller, mail).await;
    }
    if key.role.reseller().is_none() || operated {
        let mail = |user: &User| write(Recipient::of(app, user, None), &key, &maker);
        told = told.and(tell_operators(app, delivery, mail).await);
    }
    told
}

/// Whether a key is an operator's.
async fn key_is_operated(app: &App, key: &ApiKeyRefid) -> Result<bool, String> {
    let key = app.store.api_key(key).await?;
    Ok(key.is_none_or(|key| key.role.reseller().is_none()))
}
