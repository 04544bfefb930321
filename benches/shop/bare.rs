//! What the shop is measured against: the least that the same work takes with the same libraries, in a process of its own.

use crate::client::memory_kib;
use axum::{Router, routing::get};
use bytes::Bytes;
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::broadcast,
};

/// Run with this argument, the bench program is one of the servers below until it is killed.
pub const ARGUMENT: &str = "--bare";

/// A running bare server; killed with this value.
struct Bare {
    child: Child,
    address: SocketAddr,
}

impl Bare {
    fn start(kind: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.args([ARGUMENT, kind]).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().parse().unwrap() }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the child process does; it prints where it listens first.
pub async fn serve(kind: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    match kind {
        "axum" => axum::serve(listener, Router::new().route("/", get(|| async { "ok" }))).await.unwrap(),
        "fan-out" => relay(listener).await,
        other => panic!("no such server: {other}"),
    }
}

/// Writes what anyone says to all who are connected.
async fn relay(listener: TcpListener) {
    let (say, _) = broadcast::channel::<Bytes>(16);
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut from, mut to) = stream.into_split();
        let (say, mut said) = (say.clone(), say.subscribe());
        tokio::spawn(async move {
            // From here on nothing passes it by.
            to.write_all(b".").await.unwrap();
            while let Ok(bytes) = said.recv().await {
                to.write_all(&bytes).await.unwrap();
            }
        });
        tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = from.read(&mut buffer).await {
                // Fails when all have left.
                let _ = say.send(Bytes::copy_from_slice(&buffer[..length]));
            }
        });
    }
}

/// The resident memory in MiB of an axum server with one route, some time after its first answer.
pub async fn memory_mib(client: &reqwest::Client, settle: Duration) -> f64 {
    let server = Bare::start("axum");
    client.get(format!("http://{}/", server.address)).send().await.unwrap().bytes().await.unwrap();
    tokio::time::sleep(settle).await;
    memory_kib(server.child.id(), "VmRSS") as f64 / 1024.0
}

/// Sends each text to so many plain TCP connections; for each the milliseconds until they have it.
pub async fn fan_out(texts: &[Bytes], connections: usize) -> Vec<Vec<f64>> {
    let server = Bare::start("fan-out");
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(join(server.address).await);
    }
    let mut speaker = join(server.address).await;
    let mut runs = Vec::new();
    for text in texts {
        let waiting: Vec<_> = streams.drain(..).map(|stream| tokio::spawn(receive(stream, text.len()))).collect();
        let begin = Instant::now();
        speaker.write_all(text).await.unwrap();
        let mut times = Vec::new();
        for receiver in waiting {
            let (stream, seen) = receiver.await.unwrap();
            times.push(seen.duration_since(begin).as_secs_f64() * 1000.0);
            streams.push(stream);
        }
        runs.push(times);
    }
    runs
}

async fn join(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.read_u8().await.unwrap();
    stream
}

async fn receive(mut stream: TcpStream, length: usize) -> (TcpStream, Instant) {
    let mut buffer = vec![0; length];
    stream.read_exact(&mut buffer).await.unwrap();
    (stream, Instant::now())
}
