//! Seals: what is stored encrypted, and how its keys are replaced.

pub mod reseal;

use purser_store::engine::secrets::Purpose::{Factors, Ids, Licences, Records};

use crate::Function;

pub const FUNCTIONS: &[Function] = &[Function::call("reseal", |app, asked| Box::pin(reseal::reseal(app, asked)))
    .with(&[Ids, Factors, Records, Licences])];
