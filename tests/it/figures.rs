//! What the shop tells Prometheus, and that dashboards and alerts ask for nothing else.

use crate::{
    client::{Server, Setup, client, free_ports},
    guests::guest,
    http::{World, in_world},
    shop::{Piece, Shop, later, submit},
    venues::{self, at, dinner, massage, nights, ride},
};
use axum::{Json, Router, routing::post};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use xiadan::{
    args,
    server::{
        booking::wishes,
        db::DbError,
        figures::{self, Type},
        order,
    },
};

/// The text of a file of the deployment.
fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a dashboard asks Prometheus, wherever it stands.
fn asked(part: &Value, expressions: &mut Vec<String>) {
    match part {
        Value::Object(fields) => {
            expressions.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|part| asked(part, expressions));
        }
        Value::Array(parts) => parts.iter().for_each(|part| asked(part, expressions)),
        _ => {}
    }
}

/// The words of an expression that may name a figure: those that are no value of a label.
fn words(expression: &str) -> BTreeSet<String> {
    let unquoted: String = expression.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let words = unquoted.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.map(str::to_owned).collect()
}

/// What the shop tells, once all of these lines are among it.
async fn told(world: &World, wanted: &[String]) -> String {
    let begun = Instant::now();
    loop {
        let answer = world.get("/metrics", "").send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        let text = answer.text().await.unwrap();
        let missing: Vec<_> = wanted.iter().filter(|line| !text.lines().any(|told| told == **line)).collect();
        if missing.is_empty() {
            return text;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{missing:?} in\n{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn dashboards_and_alerts_name_figures_that_there_are_and_the_dashboard_names_all() {
    // Of the language of Prometheus.
    const LANGUAGE: [&str; 1] = ["histogram_quantile"];
    let mut known = BTreeSet::new();
    for (name, kind, ..) in figures::ALL {
        known.insert(name.to_owned());
        if kind == Type::Histogram {
            known.extend(["_bucket", "_sum", "_count"].map(|part| format!("{name}{part}")));
        }
    }
    let mut dashboard = Vec::new();
    asked(&serde_json::from_str(&file("grafana.json")).unwrap(), &mut dashboard);
    let rules = file("alerts.yml");
    let rules = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ").map(str::to_owned)).collect();
    for (name, expressions) in [("dashboard", dashboard), ("alerts", rules)] {
        assert!(expressions.len() > 10, "{name}");
        let words: BTreeSet<String> = expressions.iter().flat_map(|expression| words(expression)).collect();
        let is_known = |word: &str| known.contains(word) || LANGUAGE.contains(&word);
        let strange: Vec<_> = words.iter().filter(|word| word.contains('_') && !is_known(word)).collect();
        assert!(strange.is_empty(), "{name}: {strange:?}");
        if name == "dashboard" {
            let parts = |name: &str| ["", "_bucket", "_sum", "_count"].map(|part| format!("{name}{part}"));
            let is_shown = |name: &str| parts(name).iter().any(|part| words.contains(part));
            let hidden: Vec<_> = figures::ALL.iter().map(|(name, ..)| *name).filter(|name| !is_shown(name)).collect();
            assert!(hidden.is_empty(), "{hidden:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_is_told_on_one_of_the_databases() {
    let names = Mutex::new(BTreeSet::new());
    let heard = &names;
    in_world(|world| async move {
        let adding = |status: &str, count: &str| {
            let labels = format!("{{route=\"/api/cart/add\",method=\"POST\",status=\"{status}\"}}");
            format!("http_request_seconds_count{labels}{count}")
        };
        let before = told(&world, &[]).await;
        assert!(["200", "404"].iter().all(|status| !before.contains(&adding(status, ""))), "{before}");
        // An answer, one that is none, a statement that fails, an order whose time is over, a backup that another node made,
        // and an effect that nobody knows.
        assert_eq!(world.post("/api/cart/add", "", "variant_id=mug&quantity=1").send().await.unwrap().status(), 200);
        assert_eq!(world.post("/api/cart/add", "", "variant_id=none&quantity=1").send().await.unwrap().status(), 404);
        world
            .app
            .db
            .write::<_, DbError>(|tx| {
                Box::pin(async move {
                    tx.exec("update orders set expires_at = 1", args![]).await?;
                    tx.exec("alter table favourite rename to no_favourite", args![]).await?;
                    let sql = "insert into setting (key, value) values ('backup_made', '1700000000000')";
                    tx.exec(sql, args![]).await?;
                    let sql =
                        "insert into outbox (id, kind, payload, attempts, next_at) values ('e', 'nothing', '{}', 0, 1)";
                    tx.exec(sql, args![]).await
                })
            })
            .await
            .unwrap();
        let favourites = world.get("/api/catalog/favourites?page=1", &world.guest(&world.owner));
        assert_eq!(favourites.send().await.unwrap().status(), 500);
        let wanted = [
            "server_function_errors_total{function=\"/api/cart/add\",kind=\"not_found\"} 1",
            "order_steps_total{step=\"expired\"} 1",
            "outbox_effects_total{kind=\"nothing\",end=\"failed\"} 1",
            "database_up 1",
            "nodes 1",
            "backup_last_success_timestamp_seconds 1700000000",
            "backup_interval_seconds 0",
            "backup_failures_total 0",
        ];
        let counted = [adding("200", " 1"), adding("404", " 1")];
        let text = told(&world, &[counted.to_vec(), wanted.map(str::to_owned).to_vec()].concat()).await;
        let errors = text.lines().find_map(|line| line.strip_prefix("database_errors_total{kind=\"other\"} "));
        assert!(errors.is_some_and(|count| count != "0"), "{text}");
        let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        heard.lock().unwrap().extend(names.map(str::to_owned));
    })
    .await;
    let names = names.into_inner().unwrap();
    let missing: Vec<_> = figures::ALL.iter().filter(|(name, ..)| !names.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let strange: Vec<_> = names.iter().filter(|told| !figures::ALL.iter().any(|(name, ..)| name == told)).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_rooms_hours_tables_and_seats_that_are_held_are_told() {
    in_world(async |world| {
        venues::open(&world.app).await;
        let ctx = guest(&world.app).await;
        for (variant, wish) in [
            ("twin", nights(0, 3, 1)),
            ("massage", massage(at(14, 0), Some("wu"))),
            ("table", dinner(at(18, 0), 2)),
            ("coach", ride("counted", (0, 1), &[], 2)),
            ("coach", ride("mapped", (0, 2), &["1A"], 1)),
        ] {
            wishes::add(&later(&ctx), variant, &wish).await.unwrap();
        }
        let number = submit(&later(&ctx)).await.unwrap();
        let held = |nights: i64, seconds: i64, tables: i64, seats: i64| {
            [
                format!("rooms_held_nights {nights}"),
                format!("people_held_seconds {seconds}"),
                format!("tables_held {tables}"),
                format!("seats_held {seats}"),
                // Those of the order that is there already.
                "stock_held_pieces 2".to_owned(),
            ]
        };
        told(&world, &held(3, 3_600, 1, 3)).await;
        order::cancel(&later(&ctx), &number).await.unwrap();
        told(&world, &held(0, 0, 0, 0)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_a_trace_under_its_number_with_the_statements_that_it_ran() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    let (sender, mut told) = mpsc::unbounded_channel();
    let take = post(move |Json(message): Json<Value>| {
        let _ = sender.send(message);
        async {}
    });
    let router = Router::new().route("/v1/traces", take);
    let collecting = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[Piece("mug", 5_000, 10)]).await;
        let client = client();
        let setup = Setup {
            program: env!("CARGO_BIN_EXE_xiadan"),
            data: shop.folder.path(),
            site: PathBuf::from("none"),
            ports: free_ports(),
        };
        let options = ["--database-url", &shop.app.config.database_url, "--otlp-url", &collector];
        let server = Server::start_with(&setup, &options, &client).await;
        let answer = client.get(format!("{}/api/catalog/product?handle=mug", server.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let trace = answer.headers()["x-request-id"].to_str().unwrap().replace('-', "");
        let (mut names, mut texts) = (Vec::new(), String::new());
        while !names.contains(&"GET /api/catalog/product".to_owned()) {
            let message = timeout(Duration::from_secs(20), told.recv()).await.unwrap().unwrap();
            texts += &message.to_string();
            let spans = message["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
            let of_it = spans.iter().filter(|span| span["traceId"] == trace);
            names.extend(of_it.map(|span| span["name"].as_str().unwrap().to_owned()));
        }
        assert!(names.contains(&"select".to_owned()), "{names:?}");
        assert!(!texts.contains("mug"), "what was asked for is not told");
        shop.app.db.close().await;
    }
    collecting.abort();
}
