//! E-mails to all operators, or to all owners of a reseller.
//!
//! Invariant: each of them gets the e-mail of a run once, even if the run is repeated because another one's could not
//! be sent. Those who have not confirmed their address, or are suspended, get none.

use purser_domain::basic::ResellerRefid;
use purser_domain::people::{ResellerRole, User};
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::mail::Mail;
use purser_store::people::user::UserFilter;

const AT_ONCE: usize = 250;

/// Sends each operator the e-mail that `mail` makes for them. Returns the first error, after trying all operators.
pub async fn tell_operators(
    app: &App,
    delivery: &Delivery,
    mail: impl Fn(&User) -> Result<Mail, String> + Sync,
) -> Result<(), String> {
    tell(app, delivery, &UserFilter::Operators, mail).await
}

/// Sends each owner of a reseller the e-mail that `mail` makes for them, like [`tell_operators`].
pub async fn tell_owners(
    app: &App,
    delivery: &Delivery,
    reseller: &ResellerRefid,
    mail: impl Fn(&User) -> Result<Mail, String> + Sync,
) -> Result<(), String> {
    tell(app, delivery, &UserFilter::Staff(reseller.clone()), mail).await
}

async fn tell(
    app: &App,
    delivery: &Delivery,
    filter: &UserFilter,
    mail: impl Fn(&User) -> Result<Mail, String> + Sync,
) -> Result<(), String> {
    let mut told = Ok(());
    let mut position = None;
    loop {
        let page = app.store.users(filter, AT_ONCE, position);
        let page = page.await?;
        let confirmed = |it: &&User| it.confirmed_at.is_some() && it.may_sign_in();
        let decides = |it: &&User| it.operator || it.reseller_role == ResellerRole::Owner;
        for user in page.items.iter().filter(confirmed).filter(decides) {
            // A failure to write to one user must not keep the others from getting their e-mail.
            let own = delivery.to(user.refid.as_str());
            let send = async { own.mail(app, &mail(user)?).await };
            told = told.and(own.once(app, Box::pin(send)).await);
        }
        position = page.position;
        if position.is_none() {
            return told;
        }
    }
}
