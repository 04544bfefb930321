//! Reviews: what everybody reads, what a customer writes of a line of an order, and what the office does with them.

#[cfg(feature = "ssr")]
use crate::domain::review::{Draft, OfficeFilter, Wanted};
use crate::domain::{
    Error,
    page::Page,
    review::{OfficeReview, ReviewForm, ReviewList},
    wire::Json,
};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// Reviews of a product by its handle: with so many stars alone, in an order (`newest`, `highest`, `lowest`), those after a
/// place that the reviews before them named.
///
/// # Errors
/// [`Error::NotFound`] for a product that is not sold.
#[server(prefix = "/api", endpoint = "review/list", input = GetUrl, output = Json)]
pub async fn list(
    handle: String,
    #[server(default)] stars: Option<i64>,
    #[server(default)] sort: Option<String>,
    #[server(default)] after: Option<String>,
) -> Result<ReviewList, Error> {
    use crate::server::catalog::sights;
    super::with_catalogue(sights::nothing, async |ctx| {
        let wanted = Wanted::asked(stars, sort.as_deref(), after.as_deref());
        crate::server::review::list(&ctx, &handle, &wanted).await
    })
    .await
}

/// The form for the review of a line of one's own order, by its position.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else.
#[server(prefix = "/api", endpoint = "review/form", input = GetUrl, output = Json)]
pub async fn form(number: String, position: i64) -> Result<ReviewForm, Error> {
    super::with(async |ctx| crate::server::review::form(&ctx, &number, position).await).await
}

/// Writes the review of a line of one's own order, or changes it. Sending it twice is once.
///
/// # Errors
/// [`Error::OrderClosed`] for an order that is not complete, [`Error::Invalid`] with the problems by field.
#[server(prefix = "/api", endpoint = "review/write", output = Json)]
pub async fn write(
    number: String,
    position: i64,
    #[server(default)] stars: i64,
    #[server(default)] body: String,
    #[server(default)] anonymous: bool,
    #[server(default)] person_stars: i64,
) -> Result<(), Error> {
    super::with(async |ctx| {
        use crate::server::review::{TYPED, Typed, write};
        let draft = Draft { stars, body, anonymous, person_stars };
        let written = write(&ctx, &number, position, draft.clone()).await;
        match &written {
            Ok(()) => super::form_to(&format!("{}?done=review", order_page(&number))),
            Err(_) => {
                let typed = serde_json::to_string(&Typed { number, position, draft }).unwrap_or_default();
                super::keep_typed(&ctx, TYPED, &typed);
            }
        }
        written
    })
    .await
}

/// Removes the review of a line of one's own order. Removing it twice is once.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else.
#[server(prefix = "/api", endpoint = "review/remove", output = Json)]
pub async fn remove(number: String, position: i64) -> Result<(), Error> {
    super::with(async |ctx| {
        crate::server::review::remove(&ctx, &number, position).await?;
        super::form_to(&format!("{}?done=removed", order_page(&number)));
        Ok(())
    })
    .await
}

#[cfg(feature = "ssr")]
fn order_page(number: &str) -> String {
    format!("/orders/{}", crate::domain::catalog::percent_encode(number))
}

/// A page of the reviews of all products, the newest first: `all`, those `unanswered`, with `low` stars, or `hidden`.
#[server(prefix = "/api", endpoint = "office/reviews", input = GetUrl, output = Json)]
pub async fn office_reviews(#[server(default)] filter: Option<String>, page: i64) -> Result<Page<OfficeReview>, Error> {
    super::with(async |ctx| {
        let filter = filter.as_deref().map(OfficeFilter::from_name).unwrap_or_default();
        crate::server::review::office_list(&ctx, filter, page).await
    })
    .await
}

/// Answers a review in public, or changes the answer.
///
/// # Errors
/// [`Error::Invalid`] with the problem of `answer`.
#[server(prefix = "/api", endpoint = "office/answer_review", output = Json)]
pub async fn answer_review(id: String, answer: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::review::answer(&ctx, &id, &answer).await).await
}

/// Hides a review for a reason, which goes on record and is told its author.
///
/// # Errors
/// [`Error::Invalid`] with the problem of `reason`.
#[server(prefix = "/api", endpoint = "office/hide_review", output = Json)]
pub async fn hide_review(id: String, reason: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::review::hide(&ctx, &id, &reason).await).await
}

/// Shows a hidden review again.
#[server(prefix = "/api", endpoint = "office/show_review", output = Json)]
pub async fn show_review(id: String) -> Result<(), Error> {
    super::with(async |ctx| crate::server::review::show(&ctx, &id).await).await
}
