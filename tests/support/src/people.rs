//! People: they register, sign in, and follow the links in their e-mails.

use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};

use crate::{Caller, World};

pub const PASSWORD: &str = "a quiet harbour at dusk";
pub const NEW_PASSWORD: &str = "a loud harbour at dawn";

/// A user in a session.
#[derive(Debug, Clone)]
pub struct Person {
    pub email: String,
    pub refid: String,
    /// Carries the user's session.
    pub caller: Caller,
    /// The token by which a sign-in shows that the device is known.
    pub device: String,
}

impl Person {
    /// Proves again who the person is, so that they may create lasting access for a while.
    pub async fn prove(&self) {
        let _proved = self.caller.post("/v1/me/proof", &json!({"password": PASSWORD})).await.expect(200);
    }
}

impl World {
    /// The token in the newest link that was sent to `to` by e-mail.
    pub async fn mailed_token(&self, to: &str) -> String {
        let mails = self.mails_to(to).await;
        let found = mails.iter().find_map(token_in);
        found.unwrap_or_else(|| panic!("no e-mail with a link was sent to {to}: {mails:#?}"))
    }

    /// The subjects of the e-mails to `to`, newest first.
    pub async fn subjects(&self, to: &str) -> Vec<String> {
        let mails = self.mails_to(to).await;
        mails.iter().map(|mail| mail["subject"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The e-mails to `to`, newest first. In a world with many people that is far less work than reading all of them.
    async fn mails_to(&self, to: &str) -> Vec<Value> {
        self.system().settle().await;
        let mails = self.system().mails().into_iter();
        let mine = mails.filter(|mail| mail.to.iter().any(|it| it.contains(to)));
        mine.map(|mail| serde_json::to_value(mail).expect("JSON")).collect()
    }

    pub async fn register(&self, email: &str) {
        let body = json!({"email": email, "name": "A stranger's idea"});
        let nobody = self.nobody();
        let received = nobody.post("/v1/auth/register", &body).await.expect(202);
        assert_eq!(received.json, json!({"status": "received"}));
    }

    /// The right answer to a new challenge, as a form takes it.
    pub async fn answer_to_challenge(&self) -> Value {
        let shown = self.nobody().get("/v1/auth/captcha").await.expect(200);
        let terms = shown.text("question").split(" + ").map(|term| term.parse::<u32>().expect("a number"));
        json!({"token": shown.text("token"), "answer": terms.sum::<u32>()})
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Person {
        let body = json!({"email": email, "password": password});
        self.sign_in_with(email, &body).await
    }

    pub async fn sign_in_with(&self, email: &str, body: &Value) -> Person {
        let reply = self.nobody().post("/v1/auth/login", body).await.expect(200);
        Person {
            email: email.to_owned(),
            refid: reply.text("user").to_owned(),
            caller: self.nobody().with_key(Some(reply.text("token"))),
            device: reply.text("device").to_owned(),
        }
    }

    /// A user who has registered, confirmed their address and signed in.
    pub async fn person(&self) -> Person {
        let email = format!("{}@example.com", self.fresh("person"));
        self.register(&email).await;
        let token = self.mailed_token(&email).await;
        let body = json!({"token": token, "password": PASSWORD, "name": "Ada Lovelace"});
        let nobody = self.nobody();
        let _confirmed = nobody.post("/v1/auth/confirm", &body).await.expect(200);
        self.sign_in(&email, PASSWORD).await
    }

    /// A user who was invited with these members in the request, then set a password, signed in, and proved who they
    /// are.
    pub async fn invited(&self, members: Value) -> Person {
        let email = format!("{}@example.com", self.fresh("invited"));
        let mut body = json!({"email": email, "name": "Grace Hopper"});
        if let (Some(body), Value::Object(members)) = (body.as_object_mut(), members) {
            body.extend(members);
        }
        let _user = self.operator.post("/v1/users", &body).await.expect(201);
        self.set_password(&email, PASSWORD).await;
        let person = self.sign_in(&email, PASSWORD).await;
        person.prove().await;
        person
    }

    pub async fn member(&self, reseller: &str) -> Person {
        self.invited(json!({"reseller": reseller})).await
    }

    /// A signed-in user to whom a client of `reseller` is bound.
    pub async fn customer(&self, reseller: &str) -> Person {
        let person = self.person().await;
        let (email, user) = (&person.email, &person.refid);
        let body = json!({"name": "A customer", "email": email, "reseller": reseller, "user": user});
        let _client = self.operator.post("/v1/clients", &body).await.expect(201);
        person
    }

    /// Starts setting up a second factor, and returns its secret.
    pub async fn offered_factor(&self, person: &Person) -> String {
        let proof = json!({"password": PASSWORD});
        let offered = person.caller.post("/v1/me/totp", &proof).await.expect(200);
        offered.text("secret").to_owned()
    }

    pub fn app_code(&self, secret: &str) -> String {
        let secret = BASE32_NOPAD.decode(secret.as_bytes()).expect("base 32");
        let now = self.system().clock().timestamp().as_second();
        let app = totp_rs::Builder::new().with_secret(secret);
        let now = u64::try_from(now).expect("a time after 1970");
        app.build_noncompliant().generate(now).to_string()
    }

    /// Turns on the second factor with the offered secret, and returns a recovery code. `person` continues in the new
    /// session.
    pub async fn enable_factor(&self, person: &mut Person, secret: &str) -> String {
        let code = json!({"code": self.app_code(secret)});
        let enabled = person.caller.put("/v1/me/totp", &code).await.expect(200);
        let token = enabled.json["session"]["token"].as_str();
        person.caller = person.caller.with_key(token);
        enabled.json["recovery_codes"][0].as_str().expect("a recovery code").to_owned()
    }

    /// Follows the newest link sent to `email`, and sets a password.
    pub async fn set_password(&self, email: &str, password: &str) {
        let token = self.mailed_token(email).await;
        let body = json!({"token": token, "password": password});
        let nobody = self.nobody();
        let _set = nobody.post("/v1/auth/reset-password", &body).await.expect(200);
    }
}

/// The token in the link of an e-mail.
pub fn token_in(mail: &Value) -> Option<String> {
    let text = mail["text"].as_str()?;
    let (_, after) = text.split_once("?token=")?;
    let end = after.find(|c: char| c.is_whitespace()).unwrap_or(after.len());
    Some(after[..end].to_owned())
}
