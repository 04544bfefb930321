//! Connections: how many at once, how long one may take to ask, and how they end.
//!
//! `axum::serve` waits for ever for a request that never comes, each time with a descriptor that others lack, and holds
//! the end of the process up. Here every connection has a time to ask in, and all of them share so many places.

use axum::{Extension, Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{Semaphore, watch},
};
use tower::Layer;

/// What a listener bears with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a connection may take from its begin, or from its last answer, to the end of the next request's head.
    pub head: Duration,
    /// The most connections at once; more wait in the queue of the operating system.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), connections: 10_000 }
    }
}

/// Serves until `stop` is done. Then it takes no more connections, answers every request that has begun, and is done when
/// the last of them is answered. Handlers find the peer's address in [`ConnectInfo`].
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let router: Router = router.with_state(());
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.head);
    let places = Arc::new(Semaphore::new(limits.connections));
    // Each connection hears from the one when to end, and says by dropping it that it has.
    let (end, ending) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (place, accept(&listener).await)
        };
        let (place, (stream, peer)) = select! {
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router.clone()));
        let (http, mut ending) = (http.clone(), ending.clone());
        tokio::spawn(async move {
            let _place = place;
            let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
            let asked = async {
                let _ = ending.wait_for(|end| *end).await;
            };
            let done = select! {
                done = connection.as_mut() => done,
                () = asked => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = done {
                // The peer went away or never asked; what happened to a request is told where it is answered.
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop((listener, ending));
    // Fails only when no connection is open.
    let _ = end.send(true);
    end.closed().await;
}

/// The next connection. What goes wrong here is the peer's business, or passes: descriptors run out and come back.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are written whole; to wait for more would only delay them.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) if of_peer(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn of_peer(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
