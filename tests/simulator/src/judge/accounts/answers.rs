//! Checks what people were answered against what was written.

use purser_store::engine::secrets::sha256_hex;
use purser_tests::Reply;

use super::{Accounts, Span, of_noun};
use crate::run::record::{Problem, Record};
use crate::workload::people::{Ask, Asked};

pub(super) fn judge(record: &Record, accounts: &Accounts) -> Result<(), Problem> {
    for asked in &record.asked {
        let Some(reply) = &asked.reply else { continue };
        let judged = answered(record, accounts, asked, reply);
        judged.map_err(|what| Problem { what: format!("{}: {what}", asked.name), about: vec![asked.name.clone()] })?;
    }
    Ok(())
}

fn span<'a>(accounts: &'a Accounts, token: &str) -> Option<&'a Span> {
    let (_, secret) = token.rsplit_once('.')?;
    accounts.spans.get(&sha256_hex(secret.as_bytes()))
}

fn answered(record: &Record, accounts: &Accounts, asked: &Asked, reply: &Reply) -> Result<(), String> {
    let status = reply.status;
    if status >= 500 && status != 503 {
        return Err(format!("was answered with {status}"));
    }
    if let Some(token) = asked.ask.session() {
        let ended = span(accounts, token).and_then(|it| it.ended);
        if ended.is_some_and(|at| at < asked.from) && !matches!(status, 401 | 503) {
            return Err(format!("was answered with {status} in a session that had ended"));
        }
        let turned = record.deployment.cloud.were_clocks_turned();
        if status == 401 && !turned && ended.is_none_or(|at| at > asked.until) {
            return Err("was refused in a session that had not ended".to_owned());
        }
    }
    if status == 200 && reply.json["token"].is_string() && span(accounts, reply.text("token")).is_none() {
        return Err("was given a session that was never opened".to_owned());
    }
    match &asked.ask {
        Ask::SignIn { .. } if status == 401 => counted(record, asked),
        Ask::ReadWallet { session, wallet } if status == 200 => {
            let user = session.split('.').next().unwrap_or_default();
            let refid = record.deployment.names.wallet(*wallet);
            member(accounts, user, refid, asked)
        }
        Ask::Invite { .. } if reply.text("code") == "answer_erased" => erased(accounts, asked),
        _ => Ok(()),
    }
}

/// Checks that a user was deleted before the answer to an invitation was said to be erased.
fn erased(accounts: &Accounts, asked: &Asked) -> Result<(), String> {
    if accounts.deleted.values().any(|at| *at <= asked.until) {
        return Ok(());
    }
    Err("was told that the answer to an invitation was erased although nobody had been deleted".to_owned())
}

/// Checks that the refused sign-in was counted before it was answered.
fn counted(record: &Record, asked: &Asked) -> Result<(), String> {
    let own = |it: &&crate::cloud::Commit| {
        let by = it.by.as_ref().map(crate::cloud::Process::name);
        by == Some(asked.name.as_str())
    };
    let mut commits = record.commits.iter().filter(own);
    let counts = commits.any(|it| of_noun(it, "LA").any(|(_, change)| change.new.is_some()));
    if counts {
        return Ok(());
    }
    Err("was refused without being counted as a failed sign-in".to_owned())
}

/// Checks that `user` was a member of the reseller at some moment between question and answer.
fn member(accounts: &Accounts, user: &str, refid: &str, asked: &Asked) -> Result<(), String> {
    let mut own = accounts.members.iter().filter(|(_, it, _)| it == user);
    let before = own.clone().rev().find(|(at, _, _)| *at < asked.from);
    let within = own.find(|(at, _, reseller)| (asked.from..=asked.until).contains(at) && reseller == refid);
    if before.into_iter().chain(within).any(|(_, _, it)| it == refid) {
        return Ok(());
    }
    Err("read another reseller's wallet".to_owned())
}
