//! People with accounts: they register, follow the links in their e-mails, sign in, lose their sessions, and are
//! deleted.
//!
//! Invariant: what a person asks for depends only on the seed and on earlier answers: tokens come from the mailbox,
//! sessions and devices from answers. Hashing a password takes tens of milliseconds of CPU, so a run hashes only a
//! few.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use purser_tests::Reply;

use crate::cloud::Process;
use crate::run::callers::CALLS;
use crate::run::deployment::Deployment;
use crate::workload::market::WALLETS;

mod ask;

pub use ask::{Ask, Page, address, link_in};

/// How many e-mail addresses exist. Each person has one, and sometimes uses one of the others.
const ADDRESSES: usize = 4;
const STEPS: usize = 16;
/// How many passwords may be hashed in a run.
const HASHES: u32 = 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// One request of a person, and its answer.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The name of the answering process in the history.
    pub name: String,
    pub ask: Ask,
    /// When it began, in milliseconds since the start.
    pub from: u64,
    /// When it ended, likewise; `u64::MAX` until then.
    pub until: u64,
    /// `None` if no answer arrived, so that the outcome is unknown to the person.
    pub reply: Option<Reply>,
}

#[derive(Debug, Clone)]
struct Given {
    token: String,
    user: String,
    email: usize,
    device: String,
}

#[derive(Debug)]
pub struct People {
    deployment: Rc<Deployment>,
    count: usize,
    asked: RefCell<Vec<Asked>>,
    given: RefCell<Vec<Given>>,
    /// Passwords that may be valid, as pairs of an address and a password, newest last.
    passwords: RefCell<Vec<(usize, usize)>>,
    hashes: Cell<u32>,
}

impl People {
    pub fn new(deployment: Rc<Deployment>, count: usize) -> Self {
        Self {
            deployment,
            count,
            asked: RefCell::default(),
            given: RefCell::default(),
            passwords: RefCell::default(),
            hashes: Cell::new(HASHES),
        }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    /// One person's day.
    pub async fn live(&self, own: usize) {
        let cloud = &self.deployment.cloud;
        for step in 0..STEPS {
            tokio::time::sleep(cloud.between(0, 1_500)).await;
            let ask = if step == 0 { Ask::Register { email: own } } else { self.draw(own) };
            match self.below(4) {
                // A double click, or a mail scanner that also follows the link.
                0 => drop(tokio::join!(self.insist(&ask), self.insist(&ask))),
                1 => {
                    let other = self.draw(own);
                    tokio::join!(self.insist(&ask), self.insist(&other));
                }
                _ => self.insist(&ask).await,
            }
        }
    }

    fn below(&self, most: usize) -> usize {
        self.deployment.cloud.draw(|rng| rng.usize(0..most))
    }

    fn new_password(&self, email: usize) -> usize {
        let mut passwords = self.passwords.borrow_mut();
        let number = passwords.len();
        passwords.push((email, number));
        number
    }

    /// A password that was chosen for an address, mostly one of the last two.
    fn known_password(&self, email: usize) -> usize {
        let passwords = self.passwords.borrow();
        let mut own = passwords.iter().rev().filter(|(of, _)| *of == email);
        let back = [0, 0, 0, 1, 1, 2][self.below(6)];
        own.nth(back).map_or(usize::MAX, |(_, number)| *number)
    }

    /// The password with which somebody last asked to move to an address.
    fn password_of_mover(&self, to: usize) -> usize {
        let asked = self.asked.borrow();
        let moves = asked.iter().rev().find_map(|it| match it.ask {
            Ask::ChangeEmail { email, password, .. } if email == to => Some(password),
            _ => None,
        });
        moves.unwrap_or(usize::MAX)
    }

    fn draw(&self, own: usize) -> Ask {
        let email = if self.below(4) == 0 { self.below(ADDRESSES) } else { own };
        match self.below(26) {
            0 => Ask::Register { email },
            1 => {
                let key = self.deployment.cloud.draw(|rng| rng.u32(..));
                Ask::Invite { email, wallet: self.below(WALLETS.len()), key }
            }
            2 => Ask::Forgot { email },
            3 => Ask::Resend { email },
            4..10 => self.follow_link(email),
            10..15 => self.sign_in(email),
            _ => self.within_a_session(email),
        }
    }

    fn sign_in(&self, email: usize) -> Ask {
        let given = self.given.borrow();
        let devices: Vec<&Given> = given.iter().filter(|it| it.email == email).collect();
        let device = devices.get(self.below(devices.len() + 1));
        Ask::SignIn { email, password: self.known_password(email), device: device.map(|it| it.device.clone()) }
    }

    /// Follows the newest link sent to an address, or the one before it, which may be used up.
    fn follow_link(&self, email: usize) -> Ask {
        let mails = self.deployment.cloud.mails();
        let to = address(email);
        let links: Vec<(Page, String)> =
            mails.iter().rev().filter(|mail| mail.to == to).filter_map(|mail| link_in(&mail.text)).collect();
        let back = [0, 0, 0, 1][self.below(4)];
        match links.get(back).or_else(|| links.first()) {
            Some((Page::Confirm, token)) => Ask::Confirm { token: token.clone(), password: self.new_password(email) },
            Some((Page::ConfirmEmail, token)) => {
                Ask::Confirm { token: token.clone(), password: self.password_of_mover(email) }
            }
            Some((Page::ResetPassword, token)) => {
                Ask::Reset { token: token.clone(), password: self.new_password(email) }
            }
            None => Ask::Forgot { email },
        }
    }

    /// A request in a session, or an operator's request about a session's user.
    fn within_a_session(&self, own: usize) -> Ask {
        let given = self.given.borrow();
        let back = self.below(3);
        let newest = given.iter().rev().filter(|it| it.email == own).nth(back);
        let Some(found) = newest.or_else(|| given.last()) else {
            return Ask::Resend { email: own };
        };
        let (session, user, email) = (found.token.clone(), found.user.clone(), found.email);
        let wallet = self.below(WALLETS.len());
        match self.below(18) {
            0..4 => Ask::Me { session },
            4..6 => Ask::ReadWallet { session, wallet },
            6..9 => Ask::ChangePassword { session, old: self.known_password(email), new: self.new_password(email) },
            9 => Ask::ChangeEmail { session, password: self.known_password(email), email: self.below(ADDRESSES) },
            10 => Ask::EndSessions { session },
            11 => Ask::LogOut { session },
            12 => Ask::Suspend { user },
            13 => Ask::Activate { user },
            14..16 => Ask::Delete { user },
            _ => Ask::SetReseller { user, wallet: (self.below(3) > 0).then_some(wallet) },
        }
    }

    /// Asks until there is an answer, the person gives up, or no more passwords may be hashed.
    async fn insist(&self, ask: &Ask) {
        let cloud = &self.deployment.cloud;
        let most = cloud.draw(|rng| [1, 2, 4][rng.usize(0..3)]);
        for attempt in 0..most {
            let left = self.hashes.get().checked_sub(ask.hashes());
            let Some(left) = left else { return };
            self.hashes.set(left);
            if self.ask(ask).await {
                return;
            }
            tokio::time::sleep(cloud.between(10, 400 << attempt)).await;
        }
    }

    /// Asks once. Returns whether the answer is final.
    async fn ask(&self, ask: &Ask) -> bool {
        let deployment = &self.deployment;
        let cloud = &deployment.cloud;
        let number = self.asked.borrow().len();
        let name = format!("p.{number}");
        self.asked.borrow_mut().push(Asked {
            name: name.clone(),
            ask: ask.clone(),
            from: cloud.now(),
            until: u64::MAX,
            reply: None,
        });
        cloud.note(&name, ask.told());
        let process = Process::new(name.clone(), cloud.death(CALLS));
        let request = ask.request(&deployment.names);
        let key = ask.key();
        let sent = deployment.send_as(&process, ask.bearer(), &request, key.as_deref());
        let reply = tokio::time::timeout(PATIENCE, sent).await.ok().flatten();
        let reply = reply.filter(|_| !cloud.happens(cloud.weather().hung_up));
        let told = reply.as_ref().map_or("no answer".to_owned(), |it| format!("{} {}", it.status, it.text("code")));
        cloud.note(&name, format!("→ {told}"));
        self.learn(ask, reply.as_ref());
        let answered = reply.as_ref().is_some_and(|it| it.status != 503);
        if let Some(asked) = self.asked.borrow_mut().get_mut(number) {
            (asked.until, asked.reply) = (cloud.now(), reply);
        }
        answered
    }

    fn learn(&self, ask: &Ask, reply: Option<&Reply>) {
        let Some(reply) = reply.filter(|it| it.status == 200 && it.json["token"].is_string()) else {
            return;
        };
        let mut given = self.given.borrow_mut();
        let email = match ask {
            Ask::SignIn { email, .. } => Some(*email),
            _ => given.iter().find(|it| it.user == reply.text("user")).map(|it| it.email),
        };
        given.push(Given {
            token: reply.text("token").to_owned(),
            user: reply.text("user").to_owned(),
            email: email.unwrap_or_default(),
            device: reply.text("device").to_owned(),
        });
    }
}
