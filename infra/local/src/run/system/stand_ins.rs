//! The stand-ins for the managed parts of the cloud: table, bus, post office and dead letters.
//!
//! Invariant: if there is a folder, everything that a stand-in has acknowledged is kept in it.

use std::sync::Arc;

use purser_edge::process::config::Config;

use super::{StartError, stand_in};
use crate::cloud::bus::{Bus, Rule, TRIES};
use crate::cloud::dead_letters::DeadLetters;
use crate::cloud::dynamo::{Dynamo, Storage};
use crate::cloud::loopback::Loopback;
use crate::cloud::ses::{self, Mailbox};
use crate::cloud::stream::{Pump, StreamError, StreamReader};
use crate::run::apps::Apps;
use crate::run::folder::Folder;
use crate::run::functions;
use crate::run::sdk::Endpoints;
use crate::template::Template;
use crate::{BoxFuture, Now};

pub(super) struct StandIns {
    pub dynamo: Dynamo,
    pub bus: Bus,
    pub mailbox: Mailbox,
    pub post: Loopback,
    pub dead_letters: DeadLetters,
}

impl StandIns {
    pub async fn start(
        template: &Template,
        config: &Config,
        rules: Vec<Rule>,
        folder: Option<&Folder>,
        now: Now,
    ) -> Result<Self, StartError> {
        let path = folder.map(Folder::path);
        let storage = match folder {
            Some(folder) => Storage::File(folder.table()?),
            None => Storage::Memory,
        };
        let dynamo = Dynamo::open(storage, &template.table, &config.table, now.clone()).await?;
        let dead_letters = DeadLetters::open(path, now.clone()).map_err(stand_in("dead letters"))?;
        let mailbox = Mailbox::open(path, now.clone()).map_err(stand_in("mailbox"))?;
        let bus = Bus::start(rules, now, dead_letters.clone(), TRIES).await;
        let bus = bus.map_err(stand_in("event bus"))?;
        let account = bus.clone();
        let tell: ses::Tell = Arc::new(move |event| account.tell(event));
        let post = ses::serve(mailbox.clone(), tell).await;
        Ok(Self { dynamo, bus, mailbox, post: post.map_err(stand_in("post office"))?, dead_letters })
    }

    pub fn endpoints(&self) -> Endpoints {
        Endpoints { dynamodb: self.dynamo.endpoint(), eventbridge: self.bus.endpoint(), sesv2: self.post.endpoint() }
    }

    pub fn pump(&self, template: &Template, apps: &Apps, folder: Option<&Folder>) -> Result<Pump, StreamError> {
        let bus = self.bus.clone();
        let drained = Arc::new(move || {
            let bus = bus.clone();
            Box::pin(async move { bus.idle().await }) as BoxFuture<'static, ()>
        });
        let reader = StreamReader::open(&self.dynamo, folder.map(Folder::path))?;
        let consumers = functions::consumers(template, apps);
        Ok(reader.pump(consumers, drained, self.dead_letters.clone()))
    }
}
