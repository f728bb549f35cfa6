//! `read-products`: what is sold (rule B3). Every caller reads every product.

use axum::extract::State;
use axum::response::Response;
use purser_domain::Refusal;
use purser_domain::licences::product::{Product, ProductReference};
use purser_domain::refusal::What;
use purser_edge::http::answer::{List, ok, position};
use purser_edge::http::extract::{Named, PageQuery, Params};
use purser_edge::shapes::{ProductReferenceShape, ProductShape};
use purser_edge::{App, Call, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_products)).routes(routes!(read_product))
}

type ProductList = List<ProductShape>;

/// List products, by reference
#[utoipa::path(
    get, path = "/v1/products", tag = "products", params(PageQuery),
    responses((status = 200, body = ProductList))
)]
async fn list_products(
    State(app): State<App>,
    call: Call,
    query: Result<Params<PageQuery>, Problem>,
) -> Result<Response, Problem> {
    let Params(query) = query?;
    let scope = call.cursor_scope(&());
    let position = position(&app, &scope, query.cursor.as_deref())?;
    let page = app.store.products(query.limit.unwrap_or_default().get(), position).await?;
    List::answer(&app, &scope, page, |product: &Product| ProductShape::from(product))
}

/// Read a product
#[utoipa::path(
    get, path = "/v1/products/{reference}", tag = "products", params(("reference" = ProductReferenceShape, Path)),
    responses((status = 200, body = ProductShape))
)]
async fn read_product(
    State(app): State<App>,
    _call: Call,
    named: Result<Named<ProductReference>, Problem>,
) -> Result<Response, Problem> {
    let Named(reference) = named?;
    let product = app.store.product(&reference).await?.ok_or(Refusal::NotFound(What::Product))?;
    ok(&ProductShape::from(&product))
}
