//! An import runs beside a shop that is open: the office changes prices meanwhile, and open pages follow.

use super::*;
use futures::StreamExt;
use std::{process::Command, time::Duration};
use tokio::{sync::watch, time::timeout};
use xiadan::{
    domain::{Error, live::Topic, office::Staff, permission::Role},
    server::{Ctx, jobs, stock},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_import_without_prices_undoes_no_price_that_is_set_meanwhile() {
    both(|shop| async move {
        shop.import(TEA).await;
        let cheap = shop.variants("tea").await[0].1.clone();
        // Each import changes texts, tags and variants, so that all rows of the product are written.
        let files: Vec<PathBuf> = (0..2)
            .map(|n| {
                let file = shop.folder.path().join(format!("{n}.csv"));
                let rows = format!("tea,茶 {n},x{n},净重,50 g,TEA-50,{n}\ntea,,,,250 g,TEA-250,{n}\n");
                fs::write(&file, "Handle,Title,Tags,Option1 Name,Option1 Value,SKU,Barcode\n".to_owned() + &rows).unwrap();
                file
            })
            .collect();
        let (done, over) = watch::channel(false);
        let imports = tokio::spawn({
            let shop = shop.clone();
            async move {
                let mut count = 0;
                while !*over.borrow() {
                    let report = shop.run(&files[count % 2], ImportOptions::default()).await;
                    assert_eq!(counts(&report), [0, 1, 0, 0], "{}", report.text(Locale::En));
                    count += 1;
                }
                count
            }
        });
        let staff = Ctx { staff: Some(Staff { login: "lin".into(), role: Role::Owner }), ..Ctx::system(&shop.app) };
        let (mut version, mut accepted) = (1, 3_900);
        for price in 1..=300 {
            match stock::set_price(&staff, &cheap, version, &price.to_string(), "").await {
                Ok(()) => (version, accepted) = (version + 1, price * 100),
                Err(error) => panic!("nobody else sets prices: {error:?}"),
            }
            let row = &shop.variants("tea").await[0];
            assert_eq!((row.2, row.3), (accepted, version), "after {price}");
        }
        done.send(true).unwrap();
        assert!(imports.await.unwrap() > 3);
        let sql = "select p.price_min, p.price_max, (select min(v.price) from variant v where v.product_id = p.id) as low,
            (select max(v.price) from variant v where v.product_id = p.id) as high from product p where p.handle = 'tea'";
        let row = &shop.rows(sql).await[0];
        let figure = |name: &str| row.get::<i64>(name).unwrap();
        assert_eq!((figure("price_min"), figure("price_max")), (figure("low"), figure("high")));
        assert_eq!((figure("low"), figure("high")), (15_900, accepted));
        let stale = stock::set_price(&staff, &cheap, version - 1, "1", "").await;
        assert!(matches!(stale, Err(Error::Conflict)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_follow_an_import_in_another_process() {
    both(|shop| async move {
        shop.import(TEA).await;
        let id: String = shop.rows("select id from product where handle = 'tea'").await[0].get("id").unwrap();
        let serving = Shop::process(shop.folder.path(), shop.app.config.database_url.clone()).await;
        let (stop, stopping) = watch::channel(false);
        let feed = tokio::spawn(serving.live.clone().run(serving.clone()));
        let jobs = tokio::spawn(jobs::run(serving.clone(), stopping));
        let mut page = serving.live.listen(vec![Topic::Product(id)]).unwrap();
        let mut told = async |what: &str| {
            let seen = async {
                while let Some(Ok(text)) = page.next().await {
                    if String::from_utf8_lossy(&text).contains(what) {
                        return;
                    }
                }
                panic!("the feed ended");
            };
            timeout(Duration::from_secs(10), seen).await.unwrap();
        };
        told("3900").await;
        shop.import(&TEA.replace(",39,", ",37,")).await;
        told("3700").await;
        shop.import(&TEA.replace(",159,4", ",159,4321")).await;
        told("4321").await;
        stop.send(true).unwrap();
        serving.live.close();
        jobs.await.unwrap();
        feed.abort();
        serving.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_demo_that_was_interrupted_goes_on() {
    both(|shop| async move {
        let demo = tempfile::tempdir().unwrap();
        let run = || {
            let done = Command::new(env!("CARGO_BIN_EXE_xiadan"))
                .arg("--data")
                .arg(shop.folder.path())
                .args(["--database-url", &shop.app.config.database_url, "demo", "--demo"])
                .arg(demo.path())
                .output()
                .unwrap();
            (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
        };
        fs::write(demo.path().join("products.zh-CN.csv"), TEA).unwrap();
        assert!(!run().0, "the English texts are missing");
        shop.exec("update stock set on_hand = 1").await;
        let english = "Handle,Title,Variant SKU\nmug,Mug,MUG\n";
        fs::write(demo.path().join("products.en.csv"), english).unwrap();
        assert!(run().0);
        assert_eq!(shop.rows("select title from product_text where locale = 'en'").await.len(), 1);
        assert_eq!(shop.variants("mug").await[0].5, 1, "what was sold meanwhile stays sold");
        let (good, text) = run();
        assert!(good && text.contains("2 products already"), "{text}");
    })
    .await;
}
