//! Products in the table: `PR#reference`, listed in the order of their references.
//!
//! Invariant: a reference names one product, and a product is replaced only in the version that was read.

use purser_domain::Refusal;
use purser_domain::licences::{Product, ProductReference};
use purser_domain::refusal::ResourceKind;

use crate::engine::command::answer;
use crate::engine::item::{doc, item};
use crate::engine::{
    Answer, CommandWrite, Condition, Consistency, Decision, Index, Item, Key, List, Loaded, Page, Request, Stamp, View,
    Write,
};
use crate::{Store, StoreError};

pub(crate) fn key(reference: &ProductReference) -> Key {
    Key::alone("PR", reference)
}

impl Store {
    /// A product, read strongly consistently.
    pub async fn product(&self, reference: &ProductReference) -> Result<Option<Product>, StoreError> {
        let item = self.table.get(&key(reference), Consistency::Strong).await?;
        item.as_ref().map(doc).transpose()
    }

    /// A page of products, ordered by reference.
    pub async fn products(&self, limit: usize, position: Option<String>) -> Result<Page<Product>, StoreError> {
        let list = List::ascending(Index::Kind, vec!["PR".into()]);
        self.page(&list, limit, position).await?.map(|item| doc(&item))
    }

    pub async fn create_product<V: View<Product>>(
        &self,
        product: &Product,
        request: &Request,
    ) -> Result<Answer, StoreError> {
        let record = self.record(request)?;
        self.command(&request.stamp.request, record.as_ref(), &[], |_| {
            let answer = answer::show::<V, _>(product)?;
            let mut writes = Vec::new();
            writes.extend(self.record_write(record.as_ref(), request, &answer)?);
            let put = Write::Put(write(product, &request.stamp)?, Condition::Absent);
            writes.push(CommandWrite::unique(put, Refusal::DuplicateProduct));
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    /// Replaces a product with what `change` returns. `None` means that nothing needs to change.
    pub async fn change_product<V: View<Product>>(
        &self,
        reference: &ProductReference,
        request: &Request,
        change: impl Fn(&Product) -> Result<Option<Product>, Refusal> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let stamp = &request.stamp;
        self.command(&stamp.request, None, &[key(reference)], |loaded| {
            let product = read_loaded(loaded, reference)?.ok_or(Refusal::NotFound(ResourceKind::Product))?;
            let Some(changed) = change(&product)? else {
                return Ok(Decision::Unchanged(Answer::first(answer::show::<V, _>(&product)?)));
            };
            let put = Write::Put(write(&changed, stamp)?, Condition::Version(product.version));
            Ok(Decision::Commit {
                writes: vec![CommandWrite::fresh(put)],
                answer: Answer::first(answer::show::<V, _>(&changed)?),
            })
        })
        .await
    }
}

pub(crate) fn read_loaded(loaded: &Loaded, reference: &ProductReference) -> Result<Option<Product>, StoreError> {
    loaded.get(&key(reference)).map(doc).transpose()
}

fn write(product: &Product, stamp: &Stamp) -> Result<Item, StoreError> {
    let mut item = item(&key(&product.reference), "product", product, stamp)?;
    Index::Kind.place(&mut item, "PR".into(), product.reference.to_string());
    Ok(item)
}
