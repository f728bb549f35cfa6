//! E-mails to all operators.
//!
//! Invariant: each operator gets the e-mail of a run once, even if the run is repeated because another operator's
//! could not be sent. Operators who have not confirmed their address, or are suspended, get none.

use purser_domain::people::User;
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
    let mut told = Ok(());
    let mut position = None;
    loop {
        let page = app.store.users(&UserFilter::Operators, AT_ONCE, position);
        let page = page.await?;
        let confirmed = |it: &&User| it.confirmed_at.is_some() && it.may_sign_in();
        for operator in page.items.iter().filter(confirmed) {
            // A failure to write to one operator must not keep the others from getting their e-mail.
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
