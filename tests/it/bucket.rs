//! Pictures of nodes that share no folder: put into a bucket by one, shown by another.

use crate::{door::Door, shop::Shop};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::spawn_blocking};
use xiadan::server::{
    crypto::{hex, sha256},
    media::{
        Media,
        bucket::{Bucket, Settings},
    },
};

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// How many names a list has at a time.
const LISTED: usize = 2;

/// A store with one bucket, `shop`, which takes what is signed.
async fn store() -> (Settings, Objects) {
    let objects = Objects::default();
    let router = Router::new()
        .route("/shop/", get(list))
        .route("/shop/media/{name}", get(object).put(keep))
        .with_state(objects.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/shop", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let settings = Settings { url, region: "r".into(), key_id: "id".into(), key_secret: "secret".into() };
    (settings, objects)
}

/// Whether a request is signed, and for this body.
fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let told = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let day = told("x-amz-date").get(..8).unwrap_or_default().to_owned();
    told("authorization")
        .starts_with(&format!("AWS4-HMAC-SHA256 Credential=id/{day}/r/s3/aws4_request, SignedHeaders="))
        && told("x-amz-content-sha256") == hex(&sha256(body))
}

async fn keep(State(all): State<Objects>, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !is_signed(&headers, &body) {
        return StatusCode::FORBIDDEN;
    }
    all.lock().unwrap().insert(name, body);
    StatusCode::OK
}

async fn object(State(all): State<Objects>, Path(name): Path<String>, headers: HeaderMap) -> Result<Bytes, StatusCode> {
    if !is_signed(&headers, b"") {
        return Err(StatusCode::FORBIDDEN);
    }
    all.lock().unwrap().get(&name).cloned().ok_or(StatusCode::NOT_FOUND)
}

/// Tells some names, and by which word the rest is asked for: the last of them.
async fn list(State(all): State<Objects>, uri: axum::http::Uri, headers: HeaderMap) -> Result<String, StatusCode> {
    let query = uri.query().unwrap_or_default();
    if !is_signed(&headers, b"") || !query.ends_with("list-type=2&prefix=media%2F") {
        return Err(StatusCode::FORBIDDEN);
    }
    let after = query.strip_prefix("continuation-token=").and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let all = all.lock().unwrap();
    let rest: Vec<_> = all.keys().filter(|name| name.as_str() > after).collect();
    let names = rest.iter().take(LISTED);
    let mut text: String = names.map(|name| format!("<Contents><Key>media/{name}</Key></Contents>")).collect();
    if rest.len() > LISTED {
        text += &format!("<NextContinuationToken>{}</NextContinuationToken>", rest[LISTED - 1]);
    }
    Ok(format!("<ListBucketResult>{text}</ListBucketResult>"))
}

fn drawing(n: usize) -> Vec<u8> {
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{n}\" height=\"9\"></svg>").into_bytes()
}

/// A node with a folder of its own.
fn node(settings: &Settings) -> (tempfile::TempDir, Media) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::open(settings.clone()).unwrap();
    let media = Media::open(folder.path()).unwrap().with_bucket(Some(bucket));
    (folder, media)
}

async fn put(media: &Media, bytes: Vec<u8>) -> String {
    let media = media.clone();
    spawn_blocking(move || media.put(&bytes).unwrap().name).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_one_node_keeps_is_shown_by_another() {
    let (settings, objects) = store().await;
    let chair =
        fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("demo/pictures/bentwood-dining-chair.webp")).unwrap();
    let first = Shop::open_with(false, |config| config.bucket = Some(settings.clone())).await;
    let second = Shop::open_with(true, |config| config.bucket = Some(settings.clone())).await;
    let name = put(&first.app.media, chair.clone()).await;
    assert_eq!(objects.lock().unwrap().get(&name).map(|kept| kept.to_vec()), Some(chair.clone()));

    assert!(!second.app.media.has(&name));
    let door = Door::open(&second.app).await;
    let small = door.get(&format!("/media/{name}/400")).await;
    assert_eq!(small.status(), 200);
    assert_eq!(small.headers()["content-type"], "image/webp");
    assert_eq!(door.get(&format!("/media/{name}")).await.bytes().await.unwrap(), chair);
    assert!(second.app.media.has(&name), "it is fetched once");
    objects.lock().unwrap().clear();
    assert_eq!(door.get(&format!("/media/{name}")).await.status(), 200);

    let missing = "0123456789abcdef0123456789abcdef.svg";
    assert_eq!(door.get(&format!("/media/{missing}")).await.status(), 404);
    objects.lock().unwrap().insert(missing.to_owned(), drawing(1).into());
    assert_eq!(door.get(&format!("/media/{missing}")).await.status(), 404, "it is not what its name says");
    assert!(!second.app.media.has(missing));
    let nobody = Settings { url: "http://127.0.0.1:1/shop".to_owned(), ..settings };
    let third = Shop::open_with(false, |config| config.bucket = Some(nobody)).await;
    let cut_off = Door::open(&third.app).await;
    assert_eq!(cut_off.get(&format!("/media/{name}")).await.status(), 503, "nobody knows that it is not there");
    for shop in [first, second, third] {
        shop.app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_many_want_at_once_is_fetched_once() {
    let (fetched, bytes) = (Arc::new(AtomicUsize::new(0)), drawing(3));
    let name = Media::describe(&bytes).unwrap().name;
    let count = fetched.clone();
    let slowly = move || {
        let (count, bytes) = (count.clone(), bytes.clone());
        async move {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
            bytes
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/shop", listener.local_addr().unwrap());
    let router = Router::new().route("/shop/media/{name}", get(slowly));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let settings = Settings { url, region: "r".into(), key_id: "id".into(), key_secret: "secret".into() };
    let (_folder, media) = node(&settings);
    let brought = futures::future::join_all((0..20).map(|_| media.bring(&name))).await;
    assert!(brought.iter().all(Result::is_ok), "{brought:?}");
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pictures_are_brought_and_those_from_before_are_sent() {
    let (settings, objects) = store().await;
    let (_first_folder, first) = node(&settings);
    let mut names = Vec::new();
    for n in 1..=2 * LISTED + 1 {
        names.push(put(&first, drawing(n)).await);
    }
    names.sort();
    let (second_folder, second) = node(&settings);
    second.bring_all().await.unwrap();
    assert_eq!(second.names().unwrap(), names);

    // Kept while there was no bucket yet.
    let alone = Media::open(second_folder.path()).unwrap();
    let late = put(&alone, drawing(100)).await;
    assert!(!objects.lock().unwrap().contains_key(&late));
    assert_eq!(second.send_missing().await.unwrap(), 1);
    assert!(objects.lock().unwrap().contains_key(&late));
    assert_eq!(second.send_missing().await.unwrap(), 0);

    let nobody = Settings { url: "http://127.0.0.1:1/shop".to_owned(), ..settings };
    let (_folder, cut_off) = node(&nobody);
    let failed = spawn_blocking(move || (cut_off.put(&drawing(7)).is_err(), cut_off.names().unwrap())).await.unwrap();
    assert_eq!(failed, (true, Vec::new()), "nothing is kept that other nodes could not show");
}
