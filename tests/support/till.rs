//! A shop with a payment provider that can be down: the sandbox runs in the test's own process, and reaches the shop's
//! webhook, as the shop reaches it, over HTTP.
#![allow(dead_code, reason = "each test takes what it needs")]

use super::{
    client::client,
    shop::{Piece, Shop},
};
use axum::Router;
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use xiadan::{
    args,
    server::{
        App,
        db::{Db, Options},
        payment::{self, sandbox},
    },
};

/// What a test is given: the shop, and the addresses of its two halves.
pub struct Till {
    pub app: App,
    /// Where the provider listens while it runs.
    provider: SocketAddr,
}

/// A running provider; it ends with [`Running::stop`].
pub struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Runs a test on both databases, each in a shop whose provider is down at first.
pub async fn with_till<F: Future<Output = ()>>(pieces: &[Piece], test: impl Fn(Till) -> F) {
    for postgres in [false, true] {
        // The ports are free until the provider takes its own.
        let (hook, provider) = (listen("127.0.0.1:0").await, listen("127.0.0.1:0").await);
        let (shop_at, provider_at) = (hook.local_addr().unwrap(), provider.local_addr().unwrap());
        drop(provider);
        let shop = Shop::open_with(postgres, |config| {
            config.listen = shop_at;
            config.public_url = format!("http://{shop_at}");
            config.sandbox_listen = provider_at;
            config.sandbox_url = format!("http://{provider_at}");
        })
        .await;
        shop.sell(pieces).await;
        let webhook = serve(hook, payment::routes(shop.app.clone()));
        eprintln!("on {}", shop.app.db.kind().as_str());
        test(Till { app: shop.app.clone(), provider: provider_at }).await;
        webhook.abort();
        shop.app.db.close().await;
    }
}

impl Till {
    /// Starts the sandbox provider.
    pub async fn start(&self) -> Running {
        let (stop, stopped) = oneshot::channel();
        let (app, listener) = (self.app.clone(), listen(self.provider).await);
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            sandbox::serve(app, listener, stopped).await.unwrap();
        });
        Running { stop, task }
    }

    /// How many refunds the sandbox provider has made, from its own books.
    pub async fn refunds(&self) -> i64 {
        let file = self.app.config.data.join("sandbox.db");
        let db = Db::open(Options { url: format!("sqlite://{}", file.display()), ..Options::default() }).await.unwrap();
        let made = db.one("select count(*) as n from refund", args![]).await.unwrap().get("n").unwrap();
        db.close().await;
        made
    }

    /// Puts another provider in its place.
    pub async fn pretend(&self, provider: Router) -> JoinHandle<()> {
        serve(listen(self.provider).await, provider)
    }
}

impl Running {
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(Duration::from_secs(5), self.task).await;
    }
}

/// Presses a button of the cashier, and waits until the provider has told the shop.
pub async fn press(cashier: &str, outcome: &str) {
    let request = client().post(cashier).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(format!("outcome={outcome}")).send().await.unwrap();
    assert!(answer.status().is_redirection(), "{}", answer.status());
}

async fn listen(address: impl tokio::net::ToSocketAddrs) -> TcpListener {
    TcpListener::bind(address).await.unwrap()
}

fn serve(listener: TcpListener, router: Router) -> JoinHandle<()> {
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}
