//! A shop for tests: the real rooms on a real SQLite file or a real PostgreSQL, without HTTP.
#![allow(dead_code, reason = "each test takes what it needs")]

use super::postgres;
use xiadan::{
    args,
    domain::{Locale, address::CheckoutForm, office::Staff, order::Review, permission::Role},
    server::{
        App, Ctx, account, books as checker, cart,
        config::Config,
        context::now,
        db::DbError,
        order::{self, Submission},
    },
};

/// A shop with its folder, which goes away with it.
pub struct Shop {
    pub app: App,
    pub folder: tempfile::TempDir,
    _database: Option<postgres::Database>,
}

/// A variant to sell: id, price in minor units, pieces on hand.
pub struct Piece(pub &'static str, pub i64, pub i64);

/// Runs a test on both databases, each in a shop of its own that sells the given variants.
pub async fn both<F: Future<Output = ()>>(pieces: &[Piece], test: impl Fn(App) -> F) {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(pieces).await;
        eprintln!("on {}", shop.app.db.kind().as_str());
        test(shop.app.clone()).await;
        shop.app.db.close().await;
    }
}

impl Shop {
    pub async fn open(on_postgres: bool) -> Self {
        Self::open_with(on_postgres, |_| {}).await
    }

    /// The same with other settings.
    pub async fn open_with(on_postgres: bool, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = on_postgres.then(postgres::Database::create);
        let url = match &database {
            Some(database) => database.url.clone(),
            None => format!("sqlite://{}", folder.path().join("shop.db").display()),
        };
        let mut config =
            Config { data: folder.path().to_owned(), database_url: url, sandbox: true, ..Config::default() };
        change(&mut config);
        let app = xiadan::server::start::open(config).await.unwrap();
        Self { app, folder, _database: database }
    }

    /// Puts one product with these variants into the catalogue.
    pub async fn sell(&self, pieces: &[Piece]) {
        sell(&self.app, pieces).await;
    }
}

/// Puts one product with these variants into the catalogue.
pub async fn sell(app: &App, pieces: &[Piece]) {
    let pieces: Vec<_> = pieces.iter().map(|p| (p.0, p.1, p.2)).collect();
    app.db
        .write::<_, DbError>(move |tx| {
            let pieces = pieces.clone();
            Box::pin(async move {
                let sql = "insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at)
                    values ('p', 'mug', 'active', 'Brand', '[]', 1, 1, 0, 0, 0)";
                tx.exec(sql, args![]).await?;
                let sql = "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
                    values ('p', 'zh-CN', '马克杯', '', '', '', '[]', '[]', '马克杯')";
                tx.exec(sql, args![]).await?;
                for (id, price, on_hand) in pieces {
                    let sql = "insert into variant (id, product_id, position, sku, barcode, choices, price, grams, backorder, active, version)
                        values ($1, 'p', 1, $1, '', '[]', $2, 300, false, true, 1)";
                    tx.exec(sql, args![id, price]).await?;
                    tx.exec("insert into stock (variant_id, location, on_hand, held, imported) values ($1, 'main', $2, 0, $2)", args![id, on_hand]).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

/// A browser of a new customer.
pub async fn customer(app: &App) -> Ctx {
    let mut ctx = Ctx::system(app);
    ctx.customer = Some(account::create_customer(app).await.unwrap());
    ctx.locale = Locale::ZhCn;
    ctx
}

/// The browser of a member of staff.
pub fn staff(app: &App) -> Ctx {
    Ctx { staff: Some(Staff { login: "lin".into(), role: Role::Owner }), ..Ctx::system(app) }
}

/// The same browser, now.
pub fn later(ctx: &Ctx) -> Ctx {
    Ctx { now: now(), ..ctx.clone() }
}

/// A checkout form as a customer fills it in.
pub fn form(name: &str) -> CheckoutForm {
    CheckoutForm {
        recipient: name.into(),
        country_code: "+86".into(),
        phone: "138 0013 8000".into(),
        email: "buyer@example.cn".into(),
        province: "440000".into(),
        city: "440300".into(),
        district: "440305".into(),
        detail: "科技园一路 1 号 2 栋 301".into(),
        delivery_wish: String::new(),
        note: "放门口".into(),
        payment_method: "alipay".into(),
        save_address: String::new(),
    }
}

/// Fills the cart and the form, and submits; answers with the order's number.
pub async fn place(ctx: &Ctx, variant: &str, quantity: i64) -> Result<String, xiadan::domain::Error> {
    cart::add(ctx, variant, quantity).await?;
    order::save_checkout(ctx, form("张三"), true).await?;
    submit(ctx).await
}

/// Submits what the review shows.
pub async fn submit(ctx: &Ctx) -> Result<String, xiadan::domain::Error> {
    order::submit(ctx, submission(&order::review(ctx, None).await?)).await
}

/// What the review's form would send.
pub fn submission(review: &Review) -> Submission {
    Submission {
        cart_version: review.cart.version,
        total: review.cart.totals().total.0,
        reviewed: review.reviewed.clone(),
        buy_now: None,
    }
}

/// Whether all books of the shop balance.
pub async fn balance(app: &App) {
    let report = checker::check(&app.db).await.unwrap();
    assert!(report.balances(), "{:#?}", report.problems);
}

/// On hand, held, and pieces in orders that were paid and not cancelled.
pub async fn books(app: &App, variant: &str) -> (i64, i64, i64) {
    let row = app.db.one("select on_hand, held from stock where variant_id = $1", args![variant]).await.unwrap();
    let sql = "select cast(coalesce(sum(l.quantity), 0) as bigint) as sold from order_line l join orders o on o.id = l.order_id
        where l.variant_id = $1 and o.state in ('to_ship', 'shipped', 'completed')";
    let sold = app.db.one(sql, args![variant]).await.unwrap();
    (row.get("on_hand").unwrap(), row.get("held").unwrap(), sold.get("sold").unwrap())
}
