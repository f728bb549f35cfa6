//! The requests that people make about accounts, in the form in which they are sent.
//!
//! Invariant: repeating an [`Ask`] sends the same request.

use serde_json::json;

use crate::run::deployment::{Names, OPERATOR_KEY};
use crate::workload::request::Request;

/// A request. E-mail addresses and passwords are named by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    Register { email: usize },
    Resend { email: usize },
    Forgot { email: usize },
    Confirm { token: String, password: usize },
    Reset { token: String, password: usize },
    SignIn { email: usize, password: usize, device: Option<String> },
    Me { session: String },
    ReadWallet { session: String, wallet: usize },
    ChangePassword { session: String, old: usize, new: usize },
    ChangeEmail { session: String, password: usize, email: usize },
    EndSessions { session: String },
    LogOut { session: String },
    Invite { email: usize, wallet: usize, key: u32 },
    Suspend { user: String },
    Activate { user: String },
    SetReseller { user: String, wallet: Option<usize> },
    Delete { user: String },
}

pub fn address(number: usize) -> String {
    format!("person-{number}@example.com")
}

/// The password with this number; no rule for passwords refuses it.
fn password(number: usize) -> String {
    format!("a quiet harbour at dusk {number}")
}

/// The page that a link in an e-mail opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    Confirm,
    ConfirmEmail,
    ResetPassword,
}

/// The link in an e-mail: its page and its token.
pub fn link_in(text: &str) -> Option<(Page, String)> {
    let (before, after) = text.split_once("?token=")?;
    let token = after.split_whitespace().next()?;
    let page = match before.rsplit('/').next()? {
        "confirm" => Page::Confirm,
        "confirm-email" => Page::ConfirmEmail,
        _ => Page::ResetPassword,
    };
    Some((page, token.to_owned()))
}

impl Ask {
    /// How many password hashes the request costs.
    pub fn hashes(&self) -> u32 {
        match self {
            Self::Confirm { .. } | Self::Reset { .. } | Self::SignIn { .. } | Self::ChangeEmail { .. } => 1,
            Self::ChangePassword { .. } => 2,
            _ => 0,
        }
    }

    pub fn session(&self) -> Option<&str> {
        match self {
            Self::Me { session }
            | Self::ReadWallet { session, .. }
            | Self::ChangePassword { session, .. }
            | Self::ChangeEmail { session, .. }
            | Self::EndSessions { session }
            | Self::LogOut { session } => Some(session),
            _ => None,
        }
    }

    /// The API key or session that the request carries.
    pub fn bearer(&self) -> Option<&str> {
        match self {
            Self::Invite { .. }
            | Self::Suspend { .. }
            | Self::Activate { .. }
            | Self::SetReseller { .. }
            | Self::Delete { .. } => Some(OPERATOR_KEY),
            _ => self.session(),
        }
    }

    /// The idempotency key that the request carries.
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Invite { key, .. } => Some(format!("invitation-{key}")),
            _ => None,
        }
    }

    /// How the history describes the request, leaving out everything random.
    pub fn told(&self) -> String {
        let told = format!("{self:?}");
        let name = told.split([' ', '{']).next().unwrap_or_default().to_owned();
        match self {
            Self::SignIn { email, password, .. } => format!("asks to {name} at {email} with {password}"),
            Self::Register { email } | Self::Resend { email } | Self::Forgot { email } | Self::Invite { email, .. } => {
                format!("asks to {name} at {email}")
            }
            Self::ChangePassword { old, new, .. } => format!("asks to {name} from {old} to {new}"),
            Self::ChangeEmail { email, .. } => format!("asks to {name} to {email}"),
            Self::Confirm { password, .. } | Self::Reset { password, .. } => format!("asks to {name} to {password}"),
            _ => format!("asks to {name}"),
        }
    }

    pub fn request(&self, names: &Names) -> Request {
        let at = |user: &str, act: &str| format!("/v1/users/{user}{act}");
        match self {
            Self::Suspend { user } => Request::plain("POST", at(user, "/suspend")),
            Self::Activate { user } => Request::plain("POST", at(user, "/activate")),
            Self::Delete { user } => Request::plain("DELETE", at(user, "")),
            Self::SetReseller { user, wallet } => {
                Request::patch(at(user, ""), json!({"reseller": wallet.map(|it| names.wallet(it))}))
            }
            Self::Invite { email, wallet, .. } => Request::post(
                "/v1/users".to_owned(),
                json!({"email": address(*email), "name": "Ada", "reseller": names.wallet(*wallet)}),
            ),
            Self::Me { .. } => Request::plain("GET", "/v1/me".to_owned()),
            Self::EndSessions { .. } => Request::plain("DELETE", "/v1/me/sessions".to_owned()),
            Self::LogOut { .. } => Request::plain("POST", "/v1/auth/logout".to_owned()),
            Self::ReadWallet { wallet, .. } => {
                let path = format!("/v1/resellers/{}/wallet", names.wallet(*wallet));
                Request::plain("GET", path)
            }
            Self::ChangePassword { old, new, .. } => Request {
                method: "PUT",
                path: "/v1/me/password".to_owned(),
                body: Some(json!({"password": password(*old), "new_password": password(*new)})),
            },
            Self::ChangeEmail { password: own, email, .. } => Request {
                method: "PUT",
                path: "/v1/me/email".to_owned(),
                body: Some(json!({"password": password(*own), "email": address(*email)})),
            },
            by_a_stranger => by_a_stranger.stranger(),
        }
    }

    fn stranger(&self) -> Request {
        let (path, body) = match self {
            Self::Register { email } => ("register", json!({"email": address(*email), "name": "Ada"})),
            Self::Resend { email } => ("resend-confirmation", json!({"email": address(*email)})),
            Self::Forgot { email } => ("forgot-password", json!({"email": address(*email)})),
            Self::Confirm { token, password: new } => ("confirm", json!({"token": token, "password": password(*new)})),
            Self::Reset { token, password: new } => {
                ("reset-password", json!({"token": token, "password": password(*new)}))
            }
            Self::SignIn { email, password: own, device } => {
                let body = json!({"email": address(*email), "password": password(*own), "device": device});
                ("login", body)
            }
            other => panic!("{other:?} is not a request without credentials"),
        };
        Request::post(format!("/v1/auth/{path}"), body)
    }
}
