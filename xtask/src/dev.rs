//! `cargo xtask dev`: build, serve, look for changes, and tell open pages to reload (Leptos' `AutoReload` listens).

use crate::project::Project;
use anyhow::{Context, Result};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread::{sleep, spawn};
use std::time::{Duration, SystemTime};
use tungstenite::Message;

/// A change in one of these means another build; cargo and the steps after it know what really has to be done.
const WATCHED: &[&str] =
    &["Cargo.toml", "Cargo.lock", ".cargo", "build.rs", "src", "style", "public", "locales", "migrations", "demo"];

const MOMENT: Duration = Duration::from_millis(200);

pub fn run(project: &Project) -> Result<()> {
    let port = project.leptos.reload_port;
    let address = &project.leptos.site_addr;
    let listener = TcpListener::bind(("127.0.0.1", port)).with_context(|| format!("reload port {port}"))?;
    let (arrive, arrived) = mpsc::channel();
    spawn(move || {
        for stream in listener.incoming().flatten() {
            let arrive = arrive.clone();
            // In a thread of its own: a connection that never speaks must not keep others out.
            spawn(move || {
                if let Ok(page) = tungstenite::accept(stream) {
                    let _ = arrive.send(page);
                }
            });
        }
    });
    // The open pages, each waiting for a word over its WebSocket.
    let mut pages = Vec::new();
    let mut server: Option<Child> = None;
    let mut filled = false;
    loop {
        let seen = snapshot(&project.root);
        match crate::build(project) {
            Ok(()) => {
                stop(server.take());
                // Does nothing to a shop that has products.
                filled = filled || start(project, "demo")?.wait()?.success();
                server = Some(start(project, "serve")?);
                (0..50).take_while(|_| TcpStream::connect(address).is_err()).for_each(|_| sleep(MOMENT));
                pages.extend(arrived.try_iter());
                pages.retain_mut(|page| page.send(Message::text(r#"{"all":true}"#)).is_ok());
                println!("serving http://{address}; waiting for changes");
            }
            Err(error) => println!("{error:#}; waiting for changes"),
        }
        while snapshot(&project.root) == seen {
            sleep(MOMENT);
        }
    }
}

fn start(project: &Project, subcommand: &str) -> Result<Child> {
    let server = project.server();
    let mut command = Command::new(&server);
    command.arg(subcommand).current_dir(&project.root).env("XIADAN_SITE", &project.site_root);
    command.env("XIADAN_LISTEN", &project.leptos.site_addr).env("XIADAN_DEVELOPMENT", "true");
    command.env("LEPTOS_WATCH", "true").env("LEPTOS_RELOAD_PORT", project.leptos.reload_port.to_string());
    command.spawn().with_context(|| server.display().to_string())
}

/// Asks the server to finish what it is doing, as Ctrl-C would; it gets five seconds.
fn stop(server: Option<Child>) {
    let Some(mut child) = server else { return };
    let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    (0..25).take_while(|_| matches!(child.try_wait(), Ok(None))).for_each(|_| sleep(MOMENT));
    let _ = child.kill();
    let _ = child.wait();
}

/// The newest change below the watched paths and how many files there are, so that a removal is seen as well.
fn snapshot(root: &Path) -> (Option<SystemTime>, usize) {
    fn visit(path: &Path, newest: &mut Option<SystemTime>, count: &mut usize) {
        *count += 1;
        *newest = path.metadata().and_then(|data| data.modified()).ok().max(*newest);
        path.read_dir().into_iter().flatten().flatten().for_each(|entry| visit(&entry.path(), newest, count));
    }
    let (mut newest, mut count) = (None, 0);
    WATCHED.iter().for_each(|path| visit(&root.join(path), &mut newest, &mut count));
    (newest, count)
}
