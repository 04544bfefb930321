//! A way over TCP that a test makes slow, cuts, blocks or loses.

use std::{future::pending, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

/// A port of this machine that leads to another one.
pub struct Proxy {
    pub port: u16,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

/// How the way is.
#[derive(Clone, Copy, Default)]
struct Way {
    /// For how long everything is held up that goes along.
    delay: Duration,
    /// Whether nobody comes through.
    blocked: bool,
    /// How often all who were on it were cut off.
    cuts: u64,
    /// How often all who were on it were lost.
    losses: u64,
}

impl Proxy {
    /// Opens a way to a port of this machine.
    pub async fn open(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, seen) = watch::channel(Way::default());
        let task = tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                if !seen.borrow().blocked {
                    tokio::spawn(carry(from, to, seen.clone()));
                }
            }
        });
        Self { port, way, task }
    }

    /// Whether anybody is on it.
    pub fn is_used(&self) -> bool {
        // Beside who waits for them.
        self.way.receiver_count() > 1
    }

    /// Makes everything so much slower from now on.
    pub fn slow(&self, delay: Duration) {
        self.way.send_modify(|way| way.delay = delay);
    }

    /// Cuts everybody off; who comes again gets through unless it is blocked.
    pub fn cut(&self) {
        self.way.send_modify(|way| way.cuts += 1);
    }

    /// Lets nobody who is on it hear anything any more, nor be heard, and tells neither side; who comes again gets through.
    pub fn lose(&self) {
        self.way.send_modify(|way| way.losses += 1);
    }

    /// Lets nobody through any more who was not before, or again.
    pub fn block(&self, blocked: bool) {
        self.way.send_modify(|way| way.blocked = blocked);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(from: TcpStream, to: u16, mut way: watch::Receiver<Way>) {
    let Ok(to) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    // Small messages go there and back: none waits to be sent with the next.
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    let cuts = way.borrow().cuts;
    let ((from_read, from_write), (to_read, to_write)) = (from.into_split(), to.into_split());
    tokio::select! {
        () = pump(from_read, to_write, way.clone()) => {}
        () = pump(to_read, from_write, way.clone()) => {}
        _ = way.wait_for(|way| way.cuts > cuts) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: watch::Receiver<Way>) {
    let mut bytes = vec![0; 16 * 1024];
    let losses = way.borrow().losses;
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let Way { delay, losses: now, .. } = *way.borrow();
        if now > losses {
            pending::<()>().await;
        }
        if !delay.is_zero() {
            sleep(delay).await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
