//! Certificates by ACME, from an authority of the test's own to the real program.

use crate::{
    acme_authority::Acme,
    authority::{Authority, shown},
    client::free_ports,
    tls::Running,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::json;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, time::sleep};

const NAME: &str = "shop.localhost";
const OTHER: &str = "www.shop.localhost";
/// An order takes a second for each name; after a failure the next one waits for a while.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_ordered_renewed_and_kept() {
    let (data, authority) = (tempfile::tempdir().unwrap(), Arc::new(Authority::new()));
    let trusted = data.path().join("trusted.pem");
    fs::write(&trusted, authority.pem()).unwrap();
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, free_ports().0));
    let directory = format!("https://localhost:{}/directory", at.port());
    let options = ["--acme-domain", NAME, "--acme-domain", OTHER, "--acme-contact", "mailto:shop@shop.example"];
    let options = [&options[..], &["--acme-directory", &directory]].concat();

    // The authority is away at first: the shop starts all the same, and has nothing to show.
    let server = Running::start(data.path(), &trusted, NAME, &options);
    until("it listens", async || TcpStream::connect(server.address).await.is_ok()).await;
    assert!(authority.connect(server.address, NAME, &["http/1.1"]).await.is_err());
    let acme = Acme::start(at, authority.clone(), server.address).await;
    assert_eq!(acme.directory, directory);
    server.answers(&authority.client(Some((NAME, server.address)))).await;

    // The first certificate is in the last third of its life, so that the next is ordered at once.
    until("it is renewed", async || acme.certified().len() > 1).await;
    assert_eq!(acme.certified(), [[NAME, OTHER], [NAME, OTHER]]);
    assert_eq!(acme.accounts(), (1, json!(["mailto:shop@shop.example"])));
    let kept = data.path().join("acme");
    until("the new one is kept and shown", async || {
        let shown = [
            shown(&authority.connect(server.address, NAME, &["http/1.1"]).await.unwrap()),
            shown(&authority.connect(server.address, OTHER, &["h2"]).await.unwrap()),
        ];
        let newest = acme.newest();
        certificate(&kept) == newest && shown.iter().all(|shown| *shown == newest)
    })
    .await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&kept), 0o700);
    for file in fs::read_dir(&kept).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    // Nobody is being validated, so there is nothing to see.
    assert!(authority.connect(server.address, NAME, &["acme-tls/1"]).await.is_err());

    // What is kept serves after a restart, and nothing is ordered.
    let before = certificate(&kept);
    drop(server);
    let server = Running::start(data.path(), &trusted, NAME, &options);
    server.answers(&authority.client(Some((NAME, server.address)))).await;
    assert_eq!(shown(&authority.connect(server.address, NAME, &["h2"]).await.unwrap()), before);
    sleep(Duration::from_secs(2)).await;
    assert_eq!((acme.certified().len(), acme.accounts().0), (2, 1));
}

async fn until(what: &str, seen: impl AsyncFn() -> bool) {
    let begin = Instant::now();
    while !seen().await {
        assert!(begin.elapsed() < LONG, "not within {LONG:?}: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// The certificate in the folder, without those that vouch for it.
fn certificate(folder: &Path) -> CertificateDer<'static> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let file = files.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "pem")).unwrap();
    CertificateDer::from_pem_file(file).unwrap()
}
