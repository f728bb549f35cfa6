//! The functions that rules of the bus start.

pub mod bind_client;
pub mod erase;
pub mod expire_api_key;
pub mod hold_provisioning;
pub mod link_licences;
pub mod mail_links;
pub mod notify;
pub mod suppress_mail;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Ids, Records};

pub const FUNCTIONS: &[Function] = &[
    Function::consumer("mail-links", mail_links::TAKES, |app, event| Box::pin(mail_links::mail_links(app, event)))
        .with(&[Ids, Records]),
    Function::consumer("notify", notify::TAKES, |app, event| Box::pin(notify::notify(app, event)))
        .with(&[Ids, Records]),
    Function::consumer("bind-client", bind_client::TAKES, |app, event| Box::pin(bind_client::bind_client(app, event)))
        .with(&[Records]),
    Function::consumer("hold-provisioning", hold_provisioning::TAKES, |app, event| {
        Box::pin(hold_provisioning::hold_provisioning(app, event))
    })
    .with(&[Records]),
    Function::consumer("link-licences", link_licences::TAKES, |app, event| {
        Box::pin(link_licences::link_licences(app, event))
    })
    .with(&[Ids]),
    Function::consumer("expire-api-key", expire_api_key::TAKES, |app, event| {
        Box::pin(expire_api_key::expire_api_key(app, event))
    }),
    Function::consumer("erase", erase::TAKES, |app, event| Box::pin(erase::erase(app, event))),
    Function::event("suppress-mail", |app, event| Box::pin(suppress_mail::suppress_mail(app, event))).with(&[Ids]),
];
