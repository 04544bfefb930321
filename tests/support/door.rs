//! The whole way in over HTTP, in front of a shop of the test: in this process, without a built site.
#![allow(dead_code, reason = "each test takes what it needs")]

use super::client::client;
use reqwest::{Body, Client, Response, header};
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use xiadan::server::{
    App,
    http::{self, FrontParts, shared::Shared},
};

/// The whole way in, in front of a shop of the test.
pub struct Door {
    pub url: String,
    pub client: Client,
    server: JoinHandle<()>,
}

impl Door {
    pub async fn open(app: &App) -> Self {
        let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
        let leaving = watch::channel(false).1;
        let (app, site, limits, shared) = (app.clone(), Arc::default(), Arc::default(), Shared::default());
        let router = http::router(FrontParts { app, site, metrics, limits, shared, leaving }.into());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { url, client: client(), server }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, kind: &str, body: impl Into<Body>) -> Response {
        let request = self.client.post(format!("{}{path}", self.url)).header(header::CONTENT_TYPE, kind);
        request.body(body).send().await.unwrap()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.server.abort();
    }
}
