//! Connections: how many at once, how long one may take to ask, and how they end.
//!
//! `axum::serve` waits for ever for a request that never comes, each time with a descriptor that others lack, and holds
//! the end of the process up. Here every connection has a time to become secure and a time to ask in, and all of them
//! share so many places.

use super::tls::{Protocol, Tls};
use axum::{
    BoxError, Router,
    body::{Body, Bytes, HttpBody},
    extract::ConnectInfo,
    response::Response,
};
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Uri, Version, header::HOST};
use http_body::{Frame, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
    service::TowerToHyperService,
};
#[cfg(any(target_os = "linux", target_os = "android"))]
use socket2::{SockFilter, SockRef};
use std::{
    convert::Infallible,
    future::pending,
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::server::TlsStream;
use tower::Service;

/// How long a connection that has not asked yet when the listener closes may take to begin.
const FIRST_WORD: Duration = Duration::from_secs(1);
/// How long those who were greeted before the listener closes may take to answer: a way there and back in a data centre,
/// where whoever spreads the load is.
const GREETED: Duration = Duration::from_millis(20);
/// How long a connection that carries many requests may take to close after the last of them, once it was told to: when
/// nothing was asked for a while, for the last answer may still be on a slow way; and when the listener closes.
const IDLE_LAST_WORD: Duration = Duration::from_secs(30);
const LAST_WORD: Duration = Duration::from_secs(5);
/// How long an answer over HTTP/2 may wait for its client to read on. A live feed says something every 20 seconds, and no
/// answer takes longer to begin than the time limit for it.
const UNREAD_FOR: Duration = Duration::from_secs(60);
/// What is kept of an answer for a client that does not read it, in bytes.
const UNREAD: usize = 64 * 1024;

/// What a listener bears with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a connection may take from its begin, or from its last answer, to the end of the next request's head.
    pub head: Duration,
    /// The most connections at once; more wait in the queue of the operating system.
    pub connections: usize,
    /// How long a connection may take to become secure, once it is its turn.
    pub handshake: Duration,
    /// The most connections at once whose turn it is; the others wait, with half of all places for no longer than one
    /// turn.
    pub handshakes: usize,
    /// The most requests at once on one connection, where it can carry many.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            connections: 16_000,
            handshake: Duration::from_secs(5),
            handshakes: 5_000,
            streams: 100,
        }
    }
}

/// Serves, over TLS where there is one, until `stop` is done. Then it takes no more connections, answers every request that has begun and every
/// client that had connected, and is done when the last of them is answered. Handlers find the peer's address in
/// [`ConnectInfo`].
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    // Each connection hears from the one when to end, and says by dropping it that it has.
    let (end, ending) = watch::channel(false);
    let answering = Arc::new(Answering::new(tls, router, limits, ending));
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
        let connection = answering.clone().connect(stream, peer);
        tokio::spawn(async move {
            let _place = place;
            connection.await;
        });
    }
    for (stream, peer) in last(listener).await {
        let (connection, places) = (answering.clone().connect(stream, peer), places.clone());
        tokio::spawn(async move {
            let _place = places.acquire_owned().await;
            connection.await;
        });
    }
    drop(answering);
    // Fails only when no connection is open.
    let _ = end.send(true);
    end.closed().await;
}

/// What each connection needs to be answered; one for all of them.
struct Answering {
    tls: Option<Tls>,
    handshakes: Semaphore,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    router: Router,
    limits: Limits,
    ending: watch::Receiver<bool>,
}

impl Answering {
    fn new(tls: Option<Tls>, router: Router, limits: Limits, ending: watch::Receiver<bool>) -> Self {
        let mut http1 = http1::Builder::new();
        http1.timer(TokioTimer::new()).header_read_timeout(limits.head);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2.timer(TokioTimer::new()).max_concurrent_streams(limits.streams).max_send_buf_size(UNREAD);
        let handshakes = Semaphore::new(limits.handshakes);
        Self { tls, handshakes, http1, http2, router: router.with_state(()), limits, ending }
    }

    /// Makes a connection secure where it has to be, and answers it.
    ///
    /// Ten thousand of them wait for something new to tell, so each step has a place of its own: the task of a connection
    /// would otherwise be as large as the largest of them.
    async fn connect(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        // Answers are written whole; to wait for more would only delay them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return Box::pin(self.http1(stream, peer)).await };
        match Box::pin(self.greet(tls, stream)).await {
            Some((stream, Protocol::Http1)) => Box::pin(self.http1(stream, peer)).await,
            Some((stream, Protocol::Http2)) => Box::pin(self.http2(stream, peer)).await,
            // Whoever validates a name has seen the certificate, which is all that was asked.
            Some((mut stream, Protocol::Challenge)) => {
                let _ = timeout(FIRST_WORD, stream.shutdown()).await;
            }
            None => {}
        }
    }

    /// The connection as a secure one; none when that took too long, or failed.
    async fn greet(&self, tls: &Tls, stream: TcpStream) -> Option<(TlsStream<TcpStream>, Protocol)> {
        let handshake = async {
            let _turn = self.handshakes.acquire().await;
            timeout(self.limits.handshake, tls.accept(stream)).await
        };
        let mut ending = self.ending.clone();
        let late = async {
            let _ = ending.wait_for(|end| *end).await;
            sleep(FIRST_WORD).await;
        };
        let done = select! {
            done = handshake => done,
            () = late => return None,
        };
        match done {
            Ok(Ok(secure)) => return Some(secure),
            // Scanners, browsers of other times, and who speaks plain HTTP.
            Ok(Err(error)) => tracing::debug!(%error, "a connection did not become secure"),
            Err(_) => tracing::debug!("a connection took too long to become secure"),
        }
        None
    }

    async fn http1<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, peer: SocketAddr) {
        let asked = Arc::new(AtomicBool::new(false));
        let answerer = Answerer { router: self.router.clone(), peer, asked: asked.clone(), counted: None };
        let connection = self.http1.serve_connection(TokioIo::new(stream), TowerToHyperService::new(answerer));
        self.answer(connection, &asked, None).await;
    }

    async fn http2<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, peer: SocketAddr) {
        let (asked, running) = (Arc::new(AtomicBool::new(false)), watch::Sender::new(0));
        let counted = Some(running.clone());
        let answerer = Answerer { router: self.router.clone(), peer, asked: asked.clone(), counted };
        let connection = self.http2.serve_connection(TokioIo::new(stream), TowerToHyperService::new(answerer));
        self.answer(connection, &asked, Some(&running)).await;
    }

    /// Answers what is asked on a connection; `running` counts the requests where it can carry many.
    async fn answer<C: GracefulConnection<Error = hyper::Error>>(
        &self,
        connection: C,
        asked: &AtomicBool,
        running: Option<&watch::Sender<usize>>,
    ) {
        let idle = |longest| async move {
            match running {
                Some(running) => nothing_asked(running.subscribe(), longest).await,
                // HTTP/1.1 has a time of its own for each head.
                None => pending().await,
            }
        };
        let mut connection = pin!(connection);
        let (mut ending, mut stopping) = (self.ending.clone(), self.ending.clone());
        let end = async {
            let _ = ending.wait_for(|end| *end).await;
            // Ended at once, it would leave a request that is on its way without an answer.
            if !asked.load(Ordering::Relaxed) {
                sleep(FIRST_WORD).await;
            }
        };
        let last_word = select! {
            done = connection.as_mut() => return ended(done),
            () = end => LAST_WORD,
            () = idle(self.limits.head) => match asked.load(Ordering::Relaxed) {
                true => IDLE_LAST_WORD,
                false => return,
            },
        };
        connection.as_mut().graceful_shutdown();
        let told = async {
            let _ = stopping.wait_for(|end| *end).await;
            idle(LAST_WORD).await;
        };
        select! {
            done = connection => ended(done),
            // A peer that does not answer the farewell; nor does the end of the program wait for it.
            () = idle(last_word) => {}
            () = told => {}
        }
    }
}

fn ended(done: hyper::Result<()>) {
    if let Err(error) = done {
        // The peer went away or never asked; what happened to a request is told where it is answered.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Done when no request has been running for this long, or what runs has moved nothing for [`UNREAD_FOR`].
async fn nothing_asked(mut running: watch::Receiver<usize>, longest: Duration) {
    loop {
        let quiet = *running.borrow_and_update() == 0;
        let longest = if quiet { longest } else { longest.max(UNREAD_FOR) };
        select! {
            () = sleep(longest) => return,
            changed = running.changed() => if changed.is_err() {
                return;
            }
        }
    }
}

/// Answers the requests of a connection.
#[derive(Clone)]
struct Answerer {
    router: Router,
    peer: SocketAddr,
    asked: Arc<AtomicBool>,
    /// How many requests are running, where that is asked.
    counted: Option<watch::Sender<usize>>,
}

impl<B> Service<Request<B>> for Answerer
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        self.asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        if request.version() == Version::HTTP_2 {
            as_in_http1(&mut request);
        }
        let running = self.counted.as_ref().map(Running::begin);
        let answer = self.router.call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(match running {
                Some(running) => response.map(|body| Body::new(Held { body, running })),
                None => response,
            })
        })
    }
}

/// HTTP/2 has the host in the address of the request (RFC 9113, 8.3.1); everything behind here looks for it where
/// HTTP/1.1 has it.
fn as_in_http1<B>(request: &mut Request<B>) {
    let host = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host);
    }
    if let Some(path) = request.uri().path_and_query().cloned() {
        *request.uri_mut() = Uri::from(path);
    }
}

/// A request that is running, until this goes.
struct Running(watch::Sender<usize>);

impl Running {
    fn begin(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|running| *running += 1);
        Self(count.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}

/// A body whose request is running until it was sent.
struct Held {
    body: Body,
    /// Told of each part that is taken.
    running: Running,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            // It moves.
            self.running.0.send_modify(|_| {});
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Closes the listener and gives those who were waiting in its queue: closing alone would reset their connections.
async fn last(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    if turn_away(&listener) {
        sleep(GREETED).await;
    }
    // The runtime may not know yet of the newest, so the operating system is asked.
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let waiting: Vec<_> = std::iter::from_fn(|| listener.accept().ok()).collect();
    drop(listener);
    let ready = |(stream, peer): (std::net::TcpStream, _)| {
        stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)).ok().zip(Some(peer))
    };
    waiting.into_iter().filter_map(ready).collect()
}

/// Lets nobody begin a connection any more; who has begun one may finish. Otherwise somebody could get into the queue
/// between the last look into it and its end, and would be reset. Who is turned away is not answered, asks again after a
/// second, and then finds that nobody listens. Answers whether the operating system can do that.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn turn_away(listener: &TcpListener) -> bool {
    // The words of socket(7), `SO_ATTACH_FILTER`, for: drop a packet whose flags have SYN (2) without ACK (16). They are
    // in the byte 13 of its head (RFC 9293 §3.1).
    const FILTER: [SockFilter; 5] = [
        SockFilter::new(0x30, 0, 0, 13),
        SockFilter::new(0x54, 0, 0, 0x12),
        SockFilter::new(0x15, 0, 1, 0x02),
        SockFilter::new(0x06, 0, 0, 0),
        SockFilter::new(0x06, 0, 0, 0x4_0000),
    ];
    match SockRef::from(listener).attach_filter(&FILTER) {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!(%error, "who connects at the very end may be reset");
            false
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
const fn turn_away(_: &TcpListener) -> bool {
    false
}

/// The next connection. What goes wrong here is the peer's business, or passes: descriptors run out and come back.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if of_peer(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn of_peer(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
