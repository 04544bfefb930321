//! The import of product files, on both databases: twice is once, whole or not at all, and what is not in the file stays.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "import/again.rs"]
mod again;
#[path = "import/beside.rs"]
mod beside;
#[path = "import/demo.rs"]
mod demo;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "import/record.rs"]
mod record;
#[path = "import/venues.rs"]
mod venues;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use xiadan::{
    args,
    domain::{Locale, catalog::ProductOption},
    server::{
        App,
        catalog::{
            import::{ImportError, ImportOptions, Report, import},
            shopify::{FileError, PictureFault, ProblemKind},
        },
        config::Config,
        db::{Db, DbError, Row},
        start,
    },
};

/// An empty shop that imports files.
struct Shop {
    app: App,
    db: Db,
    folder: tempfile::TempDir,
    _database: Option<postgres::Database>,
}

async fn both<F: Future<Output = ()>>(test: impl Fn(Arc<Shop>) -> F) {
    for on_postgres in [false, true] {
        let shop = Arc::new(Shop::open(on_postgres).await);
        eprintln!("on {}", shop.db.kind().as_str());
        test(shop.clone()).await;
        shop.db.close().await;
    }
}

impl Shop {
    async fn open(on_postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = on_postgres.then(postgres::Database::create);
        let url = match &database {
            Some(database) => database.url.clone(),
            None => format!("sqlite://{}", folder.path().join("shop.db").display()),
        };
        let app = Self::process(folder.path(), url).await;
        Self { db: app.db.clone(), app, folder, _database: database }
    }

    /// Opens the shop as a process of its own does.
    async fn process(folder: &Path, database_url: String) -> App {
        start::open(Config { data: folder.to_owned(), database_url, ..Config::default() }).await.unwrap()
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("products.csv");
        fs::write(&path, text).unwrap();
        path
    }

    async fn run(&self, file: &Path, options: ImportOptions) -> Report {
        import(&self.app, file, options).await.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn import(&self, text: &str) -> Report {
        self.run(&self.file(text), ImportOptions::default()).await
    }

    async fn translate(&self, text: &str) -> Report {
        self.run(&self.file(text), ImportOptions { locale: Locale::En, ..ImportOptions::default() }).await
    }

    async fn rows(&self, sql: &'static str) -> Vec<Row> {
        self.db.all(sql, args![]).await.unwrap()
    }

    async fn exec(&self, sql: &'static str) {
        let done = self.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await }));
        assert!(done.await.unwrap() > 0, "{sql}");
    }

    /// All that the catalogue holds, byte for byte.
    async fn everything(&self) -> Vec<String> {
        let tables = [
            "select * from category order by id",
            "select * from category_text order by category_id, locale",
            "select * from product order by id",
            "select * from product_text order by product_id, locale",
            "select * from product_image order by product_id, position",
            "select * from variant order by id",
            "select * from stock order by variant_id",
        ];
        let mut everything = Vec::new();
        for table in tables {
            everything.extend(self.rows(table).await.iter().map(|row| format!("{row:?}")));
        }
        everything
    }

    /// SKU, id, price, version, whether it is sold, and pieces on hand, in the order of the page.
    async fn variants(&self, handle: &str) -> Vec<(String, String, i64, i64, bool, i64)> {
        let sql = "select v.sku, v.id, v.price, v.version, v.active, s.on_hand from variant v join product p on p.id = v.product_id
            join stock s on s.variant_id = v.id where p.handle = $1 order by v.active desc, v.position";
        let rows = self.db.all(sql, args![handle]).await.unwrap();
        let read = |row: &Row| -> Result<_, DbError> {
            Ok((
                row.get("sku")?,
                row.get("id")?,
                row.get("price")?,
                row.get("version")?,
                row.get("active")?,
                row.get("on_hand")?,
            ))
        };
        rows.iter().map(read).collect::<Result<_, _>>().unwrap()
    }

    async fn options(&self, handle: &str, locale: Locale) -> Vec<ProductOption> {
        let sql = "select t.options from product_text t join product p on p.id = t.product_id where p.handle = $1 and t.locale = $2";
        let row = self.db.one(sql, args![handle, locale.tag()]).await.unwrap();
        serde_json::from_str(&row.get::<String>("options").unwrap()).unwrap()
    }
}

fn counts(report: &Report) -> [u64; 4] {
    [report.created, report.updated, report.unchanged, report.rejected]
}

fn kinds(report: &Report) -> Vec<&ProblemKind> {
    report.problems.iter().map(|problem| &problem.kind).collect()
}

fn option(name: &str, values: &[&str]) -> ProductOption {
    ProductOption { name: name.into(), values: values.iter().map(|value| (*value).into()).collect() }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

const TEA: &str =
    "Handle,Title,Vendor,Product Category,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty
tea,绿茶,山里,食品 > 茶,净重,50 g,TEA-50,39,10
tea,,,,,250 g,TEA-250,159,4
mug,马克杯,窑,家居 > 餐具,,,MUG,49,7
";

#[tokio::test]
async fn a_second_import_changes_nothing_and_says_so() {
    both(|shop| async move {
        let old = shop.run(&data("export-old.csv"), ImportOptions::default()).await;
        assert_eq!((counts(&old), old.rows), ([3, 0, 0, 0], 8), "{}", old.text(Locale::En));
        assert_eq!((old.pictures, old.pictures_missing), (3, 0));
        assert_eq!(old.ignored_columns.len(), 5, "{:?}", old.ignored_columns);
        let before = shop.everything().await;
        // The same products under the headings of today.
        for file in ["export-old.csv", "export-new.csv"] {
            let again = shop.run(&data(file), ImportOptions::default()).await;
            assert_eq!(counts(&again), [0, 0, 3, 0], "{file}: {}", again.text(Locale::En));
            assert_eq!(shop.everything().await, before, "{file}");
        }
    })
    .await;
}

#[tokio::test]
async fn prices_stock_and_variants_change_and_ids_stay() {
    both(|shop| async move {
        assert_eq!(counts(&shop.import(TEA).await), [2, 0, 0, 0]);
        let before = shop.variants("tea").await;
        shop.exec("update stock set held = 3 where variant_id in (select id from variant where sku = 'TEA-50')").await;
        // Another price, less stock than is held, a new variant, and one that is gone.
        let file = "Handle,Title,Vendor,Product Category,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty
tea,绿茶,山里,食品 > 茶,净重,100 g,TEA-100,75,5
tea,,,,,50 g,TEA-50,35,1
mug,马克杯,窑,家居 > 餐具,,,MUG,49,
";
        let report = shop.import(file).await;
        assert_eq!(counts(&report), [0, 1, 1, 0], "{}", report.text(Locale::En));
        let set = ProblemKind::StockSet { sku: "TEA-50".into(), from: 10, to: 3 };
        assert_eq!(kinds(&report), [&ProblemKind::StockHeld { wanted: 1, kept: 3 }, &set]);
        assert_eq!(report.problems[0].line, 3);
        let after = shop.variants("tea").await;
        let seen: Vec<_> = after.iter().map(|v| (v.0.as_str(), v.2, v.3, v.4, v.5)).collect();
        assert_eq!(seen, [("TEA-100", 7500, 1, true, 5), ("TEA-50", 3500, 2, true, 3), ("TEA-250", 15900, 1, false, 4)]);
        assert_eq!((&after[1].1, &after[2].1), (&before[0].1, &before[1].1));
        assert_eq!(shop.variants("mug").await[0].5, 7, "no quantity leaves the stock as it is");
        let product = &shop.rows("select price_min, price_max from product where handle = 'tea'").await[0];
        assert_eq!((product.get("price_min"), product.get("price_max")), (Ok(3500), Ok(7500)));
        // What comes back is the same variant as before.
        shop.import(TEA).await;
        let back = shop.variants("tea").await;
        assert_eq!((&back[0].1, &back[1].1, back[1].4), (&before[0].1, &before[1].1, true));
    })
    .await;
}

#[tokio::test]
async fn without_skus_variants_are_found_by_what_was_chosen() {
    both(|shop| async move {
        let file = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Price\nt,T,色,红,码,S,1\nt,,,红,,M,2\nt,,,白,,S,3\n";
        shop.import(file).await;
        let before = shop.variants("t").await;
        let file = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Price\nt,T,色,白,码,S,3\nt,,,红,,M,2\nt,,,红,,S,1\n";
        assert_eq!(counts(&shop.import(file).await), [0, 1, 0, 0]);
        let after = shop.variants("t").await;
        assert_eq!([&after[0].1, &after[1].1, &after[2].1], [&before[2].1, &before[1].1, &before[0].1]);
        assert!(after.iter().all(|variant| variant.3 == 1), "another order is no other price");
        assert_eq!(shop.options("t", Locale::ZhCn).await, [option("色", &["白", "红"]), option("码", &["S", "M"])]);
    })
    .await;
}

#[tokio::test]
async fn a_bad_row_keeps_its_product_out_and_no_other() {
    both(|shop| async move {
        shop.import(TEA).await;
        let before = shop.variants("tea").await;
        let file = "Handle,Title,Option1 Name,Option1 Value,SKU,Price
new,新,,,NEW,5
tea,绿茶,净重,50 g,TEA-50,1
tea,,,250 g,TEA-250,1.999
other,别的,,,MUG,5
last,最后,,,LAST,5
";
        let report = shop.import(file).await;
        assert_eq!(counts(&report), [2, 0, 0, 2], "{}", report.text(Locale::En));
        let found: Vec<_> =
            report.problems.iter().map(|p| (p.line, p.column.as_str(), p.handle.as_str(), &p.kind)).collect();
        let decimals = ProblemKind::TooManyDecimals { value: "1.999".into() };
        let taken = ProblemKind::SkuTaken { sku: "MUG".into(), product: "mug".into() };
        assert_eq!(found, [(4, "Price", "tea", &decimals), (5, "SKU", "other", &taken)]);
        assert_eq!(shop.variants("tea").await, before);
        assert!(report.has_errors() && report.json().unwrap().contains("\"reason\": \"sku_taken\""));
    })
    .await;
}

#[tokio::test]
async fn a_sku_that_is_not_sold_any_more_can_be_used_elsewhere() {
    both(|shop| async move {
        shop.import(TEA).await;
        shop.import("Handle,Title,Option1 Name,Option1 Value,SKU,Price\ntea,绿茶,净重,50 g,TEA-50,39\n").await;
        let report = shop.import("Handle,Title,SKU,Price\nbig-tea,大茶,TEA-250,159\n").await;
        assert_eq!(counts(&report), [1, 0, 0, 0], "{}", report.text(Locale::En));
        assert_eq!(shop.variants("tea").await[1].0, "");
    })
    .await;
}

#[tokio::test]
async fn columns_that_are_not_there_leave_the_shop_as_it_is() {
    both(|shop| async move {
        shop.run(&data("export-old.csv"), ImportOptions::default()).await;
        let before = shop.everything().await;
        let file = "Handle,Title,Variant SKU\nlinen-shirt,亚麻衬衫,LS-W-S\nlinen-shirt,,LS-W-M\nlinen-shirt,,LS-B-M\n";
        let report = shop.import(file).await;
        assert_eq!(
            counts(&report),
            [0, 1, 0, 0],
            "only the type is no longer among the words: {}",
            report.text(Locale::En)
        );
        let after = shop.everything().await;
        assert_eq!(before.iter().zip(&after).filter(|(before, after)| before != after).count(), 2, "product and text");
        let report = shop
            .import("Handle,Title,SKU,Price\nlinen-shirt,亚麻衬衫,LS-W-S,1\nlinen-shirt,,NEW,2\nnone,无,N,\n")
            .await;
        assert_eq!(kinds(&report), [&ProblemKind::VariantsDiffer, &ProblemKind::NoPrice]);
    })
    .await;
}

#[tokio::test]
async fn texts_of_another_language_join_the_product() {
    both(|shop| async move {
        shop.import(TEA).await;
        let variants = shop.variants("tea").await;
        // The rows are in another order: the SKUs tell which value is which.
        let english = "Handle,Title,Product Category,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Price
tea,Green Tea,Food > Tea,fresh,Net weight,250 grams,TEA-250,
tea,,,,,50 grams,TEA-50,
mug,Mug,Home > Tableware,,,,MUG,
bowl,Bowl,Home > Tableware,,,,BOWL,
cup,Cup,,,,,CUP
";
        let report = shop.translate(english).await;
        assert_eq!(counts(&report), [2, 0, 0, 2], "{}", report.text(Locale::En));
        assert_eq!(kinds(&report), [&ProblemKind::UnknownProduct, &ProblemKind::CellCount { expected: 8, found: 7 }]);
        assert_eq!(shop.options("tea", Locale::En).await, [option("Net weight", &["50 grams", "250 grams"])]);
        assert_eq!(shop.variants("tea").await, variants);
        let text = &shop.rows("select title, words from product_text where locale = 'en' order by title").await[0];
        assert_eq!((text.get("title"), text.get("words")), (Ok("Green Tea".to_owned()), Ok("green tea 山里 fresh tea-50 tea-250".to_owned())));
        let sql = "select c.handle, t.title from category c join category_text t on t.category_id = c.id where t.locale = 'en' order by c.position";
        let categories = shop.rows(sql).await;
        let titles: Vec<String> = categories.iter().map(|row| format!("{} {}", row.get::<String>("handle").unwrap(), row.get::<String>("title").unwrap())).collect();
        assert_eq!(titles, ["食品 Food", "茶 Tea", "家居 Home", "餐具 Tableware"]);
        let before = shop.everything().await;
        assert_eq!(counts(&shop.translate(english).await), [0, 0, 2, 2]);
        assert_eq!(shop.everything().await, before);
        // The main language again: nothing is lost; another order and a new value keep the translation in its place.
        assert_eq!(counts(&shop.import(TEA).await), [0, 0, 2, 0]);
        assert_eq!(shop.everything().await, before);
        let file = "Handle,Title,Option1 Name,Option1 Value,SKU,Price\ntea,绿茶,净重,500 g,TEA-500,299\ntea,,,250 g,TEA-250,159\ntea,,,50 g,TEA-50,39\n";
        shop.import(file).await;
        assert_eq!(shop.options("tea", Locale::En).await, [option("Net weight", &["500 g", "250 grams", "50 grams"])]);
        let wrong = "Handle,Title,Option1 Name,Option1 Value,SKU\ntea,Tea,Weight,50 grams,TEA-51\nmug,Mug,Size,big,MUG\n";
        assert_eq!(kinds(&shop.translate(wrong).await), [&ProblemKind::VariantsDiffer, &ProblemKind::OptionsDiffer]);
    })
    .await;
}

#[tokio::test]
async fn categories_have_readable_handles_of_their_own() {
    both(|shop| async move {
        let file = "Handle,Title,Product Category,Type,Price
a,A,Women > Shoes > Boots,,1
b,B,Men > Shoes,,1
c,C,,Gifts & More,1
d,D,Women > Women,,1
e,E,&,,1
f,F,Women>Shoes,x,1
g,G,,,1
";
        shop.import(file).await;
        let rows = shop.rows("select handle from category order by position").await;
        let handles: Vec<String> = rows.iter().map(|row| row.get("handle").unwrap()).collect();
        assert_eq!(handles, ["women", "shoes", "men", "men-shoes", "gifts-more", "women-women", "category"]);
        let rows = shop.rows("select p.handle from product p join category c on c.id = p.category_id where c.handle = 'shoes' order by p.handle").await;
        assert_eq!(rows.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_only_reports() {
    both(|shop| async move {
        let run = || async {
            let options = ImportOptions { dry_run: true, ..ImportOptions::default() };
            shop.run(&data("export-old.csv"), options).await
        };
        let report = run().await;
        assert_eq!((counts(&report), report.pictures), ([3, 0, 0, 0], 3));
        assert!(report.text(Locale::En).starts_with("Dry run") && report.text(Locale::ZhCn).starts_with("试运行"));
        assert!(shop.everything().await.is_empty());
        assert_eq!(fs::read_dir(shop.folder.path().join("media")).unwrap().count(), 0);
        shop.run(&data("export-old.csv"), ImportOptions::default()).await;
        assert_eq!(counts(&run().await), [0, 0, 3, 0]);
    })
    .await;
}

#[tokio::test]
async fn pictures_come_from_the_web_once_and_missing_ones_are_reported() {
    use axum::{Router, extract::State, response::Redirect, routing::get};
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0";
    type Asked = Arc<AtomicU64>;
    let asked = Asked::default();
    let router = Router::new()
        .route(
            "/a.png",
            get(|State(asked): State<Asked>| async move {
                asked.fetch_add(1, Ordering::Relaxed);
                PNG
            }),
        )
        .route("/moved", get(|| async { Redirect::temporary("/a.png") }))
        .route("/round", get(|| async { Redirect::temporary("/round") }))
        .route("/page", get(|| async { "<html>" }))
        .route("/drawing", get(|| async { "<svg></svg>" }))
        .route("/large", get(|| async { vec![b'x'; 9 << 20] }))
        .with_state(asked.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let dead = "http://127.0.0.1:9";
    let sources = [
        format!("{base}/a.png"),
        format!("{base}/moved"),
        format!("{base}/round"),
        format!("{base}/page"),
        format!("{base}/drawing"),
        format!("{base}/large"),
        format!("{base}/none"),
        format!("{dead}/1.png"),
    ];
    let mut file = String::from("Handle,Title,Price,Image Src\np,P,5,\n");
    for source in &sources {
        file.push_str(&format!("p,,,{source}\n"));
    }
    both(|shop| {
        let (file, asked, base) = (file.clone(), asked.clone(), base.clone());
        async move {
            asked.store(0, Ordering::Relaxed);
            let run = |file: PathBuf, allow| {
                let shop = shop.clone();
                async move {
                    shop.run(&file, ImportOptions { allow_private_image_hosts: allow, ..ImportOptions::default() })
                        .await
                }
            };
            let report = run(shop.file(&file), false).await;
            assert_eq!((counts(&report), report.pictures_missing), ([1, 0, 0, 0], 8), "the product works without");
            let private = |kind: &&ProblemKind| {
                matches!(kind, ProblemKind::PictureMissing { fault: PictureFault::PrivateHost, .. })
            };
            assert!(kinds(&report).iter().all(private) && asked.load(Ordering::Relaxed) == 0);
            let report = run(shop.file(&file), true).await;
            assert_eq!((counts(&report), report.pictures, report.pictures_missing), ([0, 1, 0, 0], 2, 6));
            let faults: Vec<_> = (report.problems.iter())
                .map(|problem| match &problem.kind {
                    ProblemKind::PictureMissing { fault, .. } => (problem.line, fault.clone()),
                    other => panic!("{other:?}"),
                })
                .collect();
            use PictureFault::{NotAPicture, Status, TooLarge, Unreachable};
            assert_eq!(
                faults,
                [
                    (5, Status(307)),
                    (6, NotAPicture),
                    (7, NotAPicture),
                    (8, TooLarge(8 << 20)),
                    (9, Status(404)),
                    (10, Unreachable)
                ]
            );
            let images =
                shop.rows("select media, width, height, alt, source from product_image order by position").await;
            assert_eq!(images.len(), 2);
            assert_eq!(
                (images[0].get("width"), images[0].get("height"), images[0].get("alt")),
                (Ok(3), Ok(2), Ok("P".to_owned()))
            );
            let name: String = images[0].get("media").unwrap();
            assert_eq!(fs::read(shop.app.media.path(&name).unwrap()).unwrap(), PNG);
            let (before, fetched) = (shop.everything().await, asked.load(Ordering::Relaxed));
            assert_eq!(fetched, 2);
            assert_eq!(counts(&run(shop.file(&file), true).await), [0, 0, 1, 0]);
            assert_eq!((shop.everything().await, asked.load(Ordering::Relaxed)), (before, fetched));
            let fewer = format!("Handle,Title,Price,Image Src\np,P,5,{base}/moved\n");
            assert_eq!(counts(&run(shop.file(&fewer), true).await), [0, 1, 0, 0]);
            assert_eq!(shop.rows("select 1 as one from product_image").await.len(), 1);
        }
    })
    .await;
    server.abort();
}

#[tokio::test]
async fn a_file_that_is_none_is_an_error_that_says_why() {
    let shop = Shop::open(false).await;
    let run = |file: PathBuf| {
        let shop = &shop;
        async move { import(&shop.app, &file, ImportOptions::default()).await }
    };
    let other = run(shop.file("Name,Cost\n")).await.unwrap_err();
    assert!(
        matches!(&other, ImportError::File(_, FileError::NotProducts { .. }))
            && other.to_string().contains("Name, Cost")
    );
    let missing = run(shop.folder.path().join("none.csv")).await.unwrap_err();
    assert!(missing.to_string().contains("none.csv"));
}
