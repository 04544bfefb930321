//! The sandbox payment provider: a small HTTP service of its own, with its own database, that speaks the same protocol
//! as a real provider would. The shop reaches it, and is reached by it, over HTTP alone.
//!
//! Its cashier lets a tester choose what happens: success, failure, a slow notification, or the same one twice.
//! Its books are a file in the data folder: nodes on one machine that share the folder share the books, while a shop on
//! several machines, which sells for real, has no sandbox.
//! A notification is kept until the shop has confirmed it, also over a restart.

use super::provider::{self, Charge, Notification, Opened, Outcome, RefundRequest, Refunded, SIGNATURE, TIMESTAMP};
use crate::{
    args,
    domain::{
        Locale,
        money::{Amount, Currency},
        number,
        payment::Method,
        texts::payment as texts,
    },
    server::{
        App,
        context::{new_id, now},
        db::{Db, DbError, Migration, Options},
    },
};
use axum::{
    Form, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use std::{collections::HashMap, future::Future, time::Duration};
use tokio::net::TcpListener;

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_sandbox",
    sql: "create table charge (reference text not null primary key, payment_id text not null unique, body text not null);
create table notification (id text not null primary key, url text not null, body text not null, attempts bigint not null, next_at bigint not null, done boolean not null);
create index notification_due on notification (done, next_at);
create table refund (refund_id text not null primary key, reference text not null, amount bigint not null);
",
}];

/// How long a slow notification takes, in milliseconds.
const SLOW_MS: i64 = 4_000;
/// How long the first attempt to notify may take before the queue tries again.
const LEASE_MS: i64 = 15_000;
const STYLE: &str = include_str!("sandbox.css");

/// The provider's own state.
#[derive(Clone)]
struct Provider {
    db: Db,
    secret: String,
    public_url: String,
    /// Where the shop is, for customers whom the cashier cannot help.
    shop_url: String,
    client: reqwest::Client,
}

/// Serves the provider until `stop` is done.
///
/// # Errors
/// When its database cannot be opened.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let file = app.config.data.join("sandbox.db");
    let db = Db::open(Options { url: format!("sqlite://{}", file.display()), ..Options::default() }).await?;
    db.migrate(MIGRATIONS).await?;
    let provider = Provider {
        db: db.clone(),
        secret: provider::secret(&app),
        public_url: app.config.sandbox_url.clone(),
        shop_url: origin(&app.config.public_url),
        client: app.client.clone(),
    };
    let queue = tokio::spawn(deliver_forever(provider.clone()));
    let router = Router::new()
        .route("/charges", post(open_charge))
        .route("/refunds", post(refund))
        .route("/cashier/{reference}", get(cashier).post(press))
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        .route("/cashier.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }))
        .with_state(provider);
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    queue.abort();
    db.close().await;
    Ok(())
}

/// Why the provider refuses or fails.
enum Refusal {
    Signature,
    NotFound,
    Broken(DbError),
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotFound => Self::NotFound,
            error => Self::Broken(error),
        }
    }
}

impl Refusal {
    /// Tells a person who came to the cashier, by an old link perhaps. The charge, which would name the language, is not
    /// known: the page speaks all of them.
    fn page(self, provider: &Provider) -> Response {
        let (status, title, text) = match self {
            Self::Signature | Self::NotFound => {
                (StatusCode::NOT_FOUND, texts::CASHIER_GONE_TITLE, texts::CASHIER_GONE_TEXT)
            }
            Self::Broken(error) => {
                tracing::error!(%error, "sandbox provider");
                (StatusCode::INTERNAL_SERVER_ERROR, texts::CASHIER_BROKEN_TITLE, texts::CASHIER_BROKEN_TEXT)
            }
        };
        let section = |locale: Locale| {
            let heading = if locale == Locale::default() { "h1" } else { "h2" };
            format!(
                "<section lang=\"{lang}\"><{heading}>{title}</{heading}><p>{text}</p><a href=\"{shop}/orders\">{orders}</a></section>",
                lang = locale.tag(),
                title = locale.t(title),
                text = locale.t(text),
                shop = provider.shop_url,
                orders = locale.t(texts::CASHIER_TO_ORDERS),
            )
        };
        let body: String = Locale::ALL.into_iter().map(section).collect();
        let locale = Locale::default();
        (status, document(locale, locale.t(title), &body, "'none'")).into_response()
    }
}

/// To the shop, which asks over HTTP.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Signature => {
                (StatusCode::UNAUTHORIZED, "the signature or the time of the message is wrong").into_response()
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "there is no such charge").into_response(),
            Self::Broken(error) => {
                tracing::error!(%error, "sandbox provider");
                (StatusCode::INTERNAL_SERVER_ERROR, "try again").into_response()
            }
        }
    }
}

async fn open_charge(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: String,
) -> Result<axum::Json<Opened>, Refusal> {
    let charge: Charge = provider::open(&provider.secret, &headers, &body).ok_or(Refusal::Signature)?;
    let fresh = new_id();
    let reference = provider
        .db
        .write::<_, DbError>(move |tx| {
            let (fresh, payment_id, body) = (fresh.clone(), charge.payment_id.clone(), body.clone());
            Box::pin(async move {
                let sql = "insert into charge (reference, payment_id, body) values ($1, $2, $3) on conflict (payment_id) do nothing";
                tx.exec(sql, args![fresh, &payment_id, body]).await?;
                tx.one("select reference from charge where payment_id = $1", args![payment_id]).await?.get::<String>("reference")
            })
        })
        .await?;
    let cashier_url = format!("{}/cashier/{reference}", provider.public_url);
    Ok(axum::Json(Opened { reference, cashier_url }))
}

async fn refund(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: String,
) -> Result<axum::Json<Refunded>, Refusal> {
    let request: RefundRequest = provider::open(&provider.secret, &headers, &body).ok_or(Refusal::Signature)?;
    let refund_id = request.refund_id.clone();
    provider
        .db
        .write::<_, DbError>(move |tx| {
            let request = request.clone();
            Box::pin(async move {
                tx.one("select reference from charge where reference = $1", args![&request.reference]).await?;
                let sql = "insert into refund (refund_id, reference, amount) values ($1, $2, $3) on conflict (refund_id) do nothing";
                tx.exec(sql, args![request.refund_id, request.reference, request.amount]).await
            })
        })
        .await?;
    Ok(axum::Json(Refunded { refund_id }))
}

async fn load(provider: &Provider, reference: &str) -> Result<Charge, Refusal> {
    let row = provider.db.one("select body from charge where reference = $1", args![reference]).await?;
    serde_json::from_str(&row.get::<String>("body")?).map_err(|_| Refusal::NotFound)
}

/// The scheme, host and port of an address; empty for what is none.
fn origin(address: &str) -> String {
    url::Url::parse(address).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// A page of the provider. `forms` says where its forms may lead; the body must be safe HTML.
fn document(locale: Locale, title: &str, body: &str, forms: &str) -> Response {
    let page = format!(
        "<!DOCTYPE html><html lang=\"{lang}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
        <title>{title}</title><link rel=\"stylesheet\" href=\"/cashier.css\"></head><body><main>{body}</main></body></html>",
        lang = locale.tag(),
    );
    let mut response = Html(page).into_response();
    let policy =
        format!("default-src 'none'; style-src 'self'; form-action {forms}; frame-ancestors 'none'; base-uri 'none'");
    if let Ok(value) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn cashier(State(provider): State<Provider>, Path(reference): Path<String>) -> Response {
    match load(&provider, &reference).await {
        Ok(charge) => counter(&charge),
        Err(refusal) => refusal.page(&provider),
    }
}

/// What is to be paid, and the outcomes to choose from.
fn counter(charge: &Charge) -> Response {
    let locale = Locale::from_tag(&charge.locale).unwrap_or_default();
    let t = |text| locale.t(text);
    let currency = Currency::from_code(&charge.currency).unwrap_or_default();
    let amount = Amount(charge.amount).display(currency);
    let method = Method::from_name(&charge.method).unwrap_or_default();
    let method = match method {
        Method::Alipay => t(texts::ALIPAY),
        Method::WechatPay => t(texts::WECHAT_PAY),
        Method::BankCard => t(texts::BANK_CARD),
        Method::Unionpay => t(texts::UNIONPAY),
        Method::Paypal => t(texts::PAYPAL),
    };
    let number = number::display(&charge.order_number);
    let button = |value: &str, class: &str, text| {
        format!("<button name=\"outcome\" value=\"{value}\" class=\"{class}\">{}</button>", t(text))
    };
    // Everything below is our own text, digits or a known name: nothing a person typed is written into the page.
    let title = t(texts::CASHIER_TITLE);
    let body = format!(
        "<p class=\"notice\">{notice}</p><h1>{title}</h1><p class=\"amount\">{amount}</p>\
        <dl><div><dt>{order}</dt><dd>{number}</dd></div><div><dt>{by}</dt><dd>{method}</dd></div></dl>\
        <form method=\"post\">{success}{failure}{slow}{twice}</form>",
        notice = t(texts::CASHIER_NOTICE),
        order = t(texts::CASHIER_ORDER),
        by = t(texts::CASHIER_METHOD),
        success = button("success", "primary", texts::CASHIER_SUCCESS),
        failure = button("failure", "", texts::CASHIER_FAILURE),
        slow = button("slow", "", texts::CASHIER_SLOW),
        twice = button("twice", "", texts::CASHIER_TWICE),
    );
    // A form's redirect must be allowed as well (CSP 3, form-action), so the shop's origin is named.
    document(locale, title, &body, &format!("'self' {}", origin(&charge.return_url)))
}

async fn press(
    State(provider): State<Provider>,
    Path(reference): Path<String>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    match decide(&provider, reference, &form).await {
        Ok(redirect) => redirect.into_response(),
        Err(refusal) => refusal.page(&provider),
    }
}

/// Makes happen what was chosen, and names the page of the shop to go back to.
async fn decide(provider: &Provider, reference: String, form: &HashMap<String, String>) -> Result<Redirect, Refusal> {
    let charge = load(provider, &reference).await?;
    let (outcome, times, delay) = match form.get("outcome").map(String::as_str) {
        Some("failure") => (Outcome::Failed, 1, 0),
        Some("slow") => (Outcome::Succeeded, 1, SLOW_MS),
        Some("twice") => (Outcome::Succeeded, 2, 0),
        Some("success") => (Outcome::Succeeded, 1, 0),
        _ => return Err(Refusal::NotFound),
    };
    let notification = Notification {
        payment_id: charge.payment_id.clone(),
        reference,
        outcome,
        amount: charge.amount,
        currency: charge.currency.clone(),
    };
    let body = serde_json::to_string(&notification).map_err(|_| Refusal::NotFound)?;
    let due = now() + if delay > 0 { delay } else { LEASE_MS };
    let ids: Vec<String> = (0..times).map(|_| new_id()).collect();
    let (rows, url, text) = (ids.clone(), charge.notify_url.clone(), body.clone());
    provider
        .db
        .write::<_, DbError>(move |tx| {
            let (rows, url, text) = (rows.clone(), url.clone(), text.clone());
            Box::pin(async move {
                for id in rows {
                    let sql = "insert into notification (id, url, body, attempts, next_at, done) values ($1, $2, $3, 0, $4, false)";
                    tx.exec(sql, args![id, &url, &text, due]).await?;
                }
                Ok(())
            })
        })
        .await?;
    if delay == 0 {
        for id in &ids {
            deliver(provider, id, &charge.notify_url, &body, 0).await;
        }
    }
    Ok(Redirect::to(&charge.return_url))
}

/// Sends what is due, for ever; each attempt waits twice as long as the one before, up to a minute.
async fn deliver_forever(provider: Provider) {
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tick.tick().await;
        let sql = "select id, url, body, attempts from notification where not done and next_at <= $1 order by next_at limit 50";
        let due = match provider.db.all(sql, args![now()]).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "sandbox provider");
                continue;
            }
        };
        let attempts = due.iter().filter_map(|row| {
            Some((
                row.get::<String>("id").ok()?,
                row.get::<String>("url").ok()?,
                row.get::<String>("body").ok()?,
                row.get::<i64>("attempts").ok()?,
            ))
        });
        futures::future::join_all(attempts.map(|(id, url, body, attempts)| {
            let provider = &provider;
            async move { deliver(provider, &id, &url, &body, attempts).await }
        }))
        .await;
    }
}

/// Tries once to hand a notification over; the shop confirms with a success status.
async fn deliver(provider: &Provider, id: &str, url: &str, body: &str, attempts: i64) {
    let (timestamp, signature) = provider::sign(&provider.secret, body);
    let request = provider
        .client
        .post(url)
        .header(TIMESTAMP, timestamp)
        .header(SIGNATURE, signature)
        .header(header::CONTENT_TYPE, "application/json");
    let sent = request.timeout(Duration::from_secs(8)).body(body.to_owned()).send().await;
    let done = sent.is_ok_and(|answer| answer.status().is_success());
    let (id, next_at) = (id.to_owned(), now() + 1000 * (1 << attempts.clamp(0, 6)));
    let kept = provider
        .db
        .write::<_, DbError>(move |tx| {
            let id = id.clone();
            Box::pin(async move {
                let sql = "update notification set done = $2, attempts = attempts + 1, next_at = $3 where id = $1 and not done";
                tx.exec(sql, args![id, done, next_at]).await
            })
        })
        .await;
    if let Err(error) = kept {
        tracing::error!(%error, "sandbox provider");
    }
}
