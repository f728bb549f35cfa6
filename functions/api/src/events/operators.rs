//! What all operators are told.
//!
//! Invariant: an operator is told once of a run, even if the run is repeated because another could not be told; whoever
//! has not confirmed an address, or is kept out, is told nothing.

use purser_domain::people::user::User;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::mail::Mail;
use purser_store::people::user::UserFilter;

/// How many operators are asked for at a time.
const AT_ONCE: usize = 250;

/// Mails each operator what `mail` makes for it.
pub async fn tell_operators(
    app: &App,
    delivery: &Delivery,
    mail: impl Fn(&User) -> Result<Mail, String> + Sync,
) -> Result<(), String> {
    let mut told = Ok(());
    let mut position = None;
    loop {
        let page = app.store.users(&UserFilter::Operators, AT_ONCE, position);
        let page = page.await?;
        let confirmed = |it: &&User| it.confirmed_at.is_some() && it.may_sign_in();
        for operator in page.items.iter().filter(confirmed) {
            // One who can't be told must not keep the others from it.
            let send = async { app.mail(&mail(operator)?).await };
            let own = delivery.to(operator.refid.as_str());
            told = told.and(own.once(app, Box::pin(send)).await);
        }
        position = page.position;
        if position.is_none() {
            return told;
        }
    }
}
