//! nginx on this machine, with pages as files: what pages that were made before are measured against.

use crate::client::free_ports;
use std::{
    fs,
    net::TcpStream,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Names the program, where it is not where programs are.
const NAMED: &str = "XIADAN_NGINX";

/// A running nginx; ended with this value.
pub struct Nginx {
    pub url: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Serves the files of a folder, with as many workers as there are cores; none where nginx is not installed, or does not
    /// run.
    pub fn start(root: &Path) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        let (at, port) = (folder.path().display().to_string(), free_ports().0);
        // Its workers would not be allowed to read the folder of a test that root runs.
        let user = if fs::metadata(folder.path()).unwrap().uid() == 0 { "user root;" } else { "" };
        let unused =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {at}/{kind};"));
        let settings = format!(
            "{user} daemon off; worker_processes auto; pid {at}/pid; error_log {at}/error.log;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
                open_file_cache max=100 inactive=60s; types {{ text/html html; }} {}
                server {{ listen 127.0.0.1:{port}; root {}; }}
            }}",
            unused.join(" "),
            root.display(),
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, settings).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-e").arg(folder.path().join("error.log")).arg("-c").arg(&file);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().ok()?;
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            // Such as one that lacks a library.
            if child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(begin.elapsed() < Duration::from_secs(10), "nginx does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(Self { url: format!("http://127.0.0.1:{port}"), child, _folder: folder })
    }

    /// The process that began the others.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked and not killed: its workers would go on without it.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let named = std::env::var_os(NAMED).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).map(|folder| folder.join("nginx"));
    named.into_iter().chain(folders).find(|program| program.is_file())
}
