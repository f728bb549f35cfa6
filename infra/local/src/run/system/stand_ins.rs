//! The stand-ins for the managed parts of the cloud: table, bus, post office and dead letters.
//!
//! Invariant: if there is a folder, everything that a stand-in has acknowledged is kept in it.

use std::sync::Arc;

use purser_edge::process::config::Config;

use super::{StartError, stand_in};
use crate::cloud::bus::{Bus, Rule, TRIES};
use crate::cloud::dead_letters::DeadLetters;
use crate::cloud::dynamo::{Dynamo, Storage};
use crate::cloud::inside::Services;
use crate::cloud::ses::{self, Mailbox};
use crate::cloud::stream::{Pump, StreamError, StreamReader};
use crate::run::apps::Apps;
use crate::run::folder::Folder;
use crate::run::functions;
use crate::template::Template;
use crate::{BoxFuture, Now};

pub(super) struct StandIns {
    pub dynamo: Dynamo,
    pub bus: Bus,
    pub mailbox: Mailbox,
    /// What the functions reach. They can't any more once this is dropped.
    pub services: Arc<Services>,
    pub dead_letters: DeadLetters,
}

impl StandIns {
    pub fn start(
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
        let dynamo = Dynamo::open(storage, &template.table, &config.table, now.clone())?;
        let dead_letters = DeadLetters::open(path, now.clone()).map_err(stand_in("dead letters"))?;
        let mailbox = Mailbox::open(path, now.clone()).map_err(stand_in("mailbox"))?;
        let bus = Bus::new(rules, now, dead_letters.clone(), TRIES);
        let account = bus.clone();
        let tell: ses::Tell = Arc::new(move |event| account.tell(event));
        let post = ses::service(mailbox.clone(), tell);
        let services = Services { table: Some(dynamo.clone()), bus: bus.service(), post };
        Ok(Self { dynamo, bus, mailbox, services: Arc::new(services), dead_letters })
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
