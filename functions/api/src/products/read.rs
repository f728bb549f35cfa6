//! `read-products`: reads and lists products (rule B3). Every caller may read every product.

use purser_domain::licences::{Product, ProductReference};
use purser_edge::http::answer::{List, ok, position};
use purser_edge::prelude::*;

use crate::products::view::ProductView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_products)).routes(routes!(read_product))
}

type ProductList = List<ProductView>;

/// List products, by reference
#[utoipa::path(
    get, path = "/v1/products", tag = "products", params(PageQuery),
    responses((status = 200, body = ProductList))
)]
async fn list_products(
    State(app): State<App>,
    Input(call, (), Params(query), ..): Input<Call, (), Params<PageQuery>>,
) -> Result<Response, Problem> {
    let scope = call.cursor_scope(&());
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let page = app.store.products(query.limit.unwrap_or_default().get(), position).await?;
    List::answer(&app, &scope, page, |product: &Product| ProductView::from(product))
}

/// Read a product
#[utoipa::path(
    get, path = "/v1/products/{reference}", tag = "products", params(("reference" = ProductReference, Path)),
    responses((status = 200, body = ProductView))
)]
async fn read_product(Input(_call, Found(product), ..): Input<Call, Found<Product>>) -> Result<Response, Problem> {
    ok(&ProductView::from(&product))
}
