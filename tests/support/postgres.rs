//! A throw-away PostgreSQL for tests: one cluster per test process, one database per test.
//!
//! The cluster belongs to a shell that waits for the end of its standard input. The other end of
//! that pipe is held by the test process alone, so that however the process ends, `kill -9`
//! included, the shell sees it, stops the cluster and removes its folder.
#![allow(dead_code, reason = "each test program takes what it needs")]

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// A database of its own; dropped with this value, whoever is still connected.
pub struct Database {
    name: String,
    /// The table space of its own, if it has one.
    space: Option<String>,
    /// `postgres://…`
    pub url: String,
}

impl Database {
    /// A fresh, empty database.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed or does not start: every test of data runs on both databases.
    pub fn create() -> Self {
        Self::from_template("template0", None)
    }

    /// A fresh, empty database whose tables and indexes lie in a folder of their own, which is made here; such as on a small
    /// disk. What the server writes ahead of them stays where it is. Only root can give the folder to the server.
    pub fn create_in(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        let given = Command::new("chown").arg("postgres").arg(folder).status();
        assert!(given.is_ok_and(|status| status.success()), "the folder cannot be given to the server");
        Self::from_template("template0", Some(folder))
    }

    /// A copy of this database, made of its files: much faster than applying migrations again.
    /// Nobody may be connected to the original.
    pub fn copy(&self) -> Self {
        Self::from_template(&self.name, None)
    }

    fn from_template(template: &str, folder: Option<&Path>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let cluster = cluster();
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let space = folder.map(|folder| {
            let space = format!("space_of_{name}");
            cluster.run(&format!("create tablespace {space} location '{}'", folder.display()));
            space
        });
        let on = space.as_ref().map_or_else(String::new, |space| format!(" tablespace {space}"));
        cluster.run(&format!("create database {name} template {template}{on}"));
        let url = format!("postgres://postgres@127.0.0.1:{}/{name}", cluster.port);
        Self { name, space, url }
    }
}

impl Database {
    /// Has it keep what it confirmed when the server is restarted at once. The throw-away cluster has no need to otherwise.
    pub fn keep(&self) {
        cluster().run(&format!("alter database {} set synchronous_commit = on", self.name));
    }

    /// Has the server wait for the disk before it confirms anything, as one that is no throw-away does.
    pub fn wait_for_the_disk(&self) {
        for setting in ["fsync = on", "full_page_writes = on", "synchronous_commit = on", "autovacuum = on"] {
            cluster().run(&format!("alter system set {setting}"));
        }
        cluster().run("select pg_reload_conf()");
    }

    /// Transactions per second that PostgreSQL's own benchmark gets out of this database with so many clients at once: its
    /// `pgbench`, as simple updates of one of a million rows each.
    pub fn bench(&self, clients: usize, seconds: u32) -> f64 {
        let pgbench = |arguments: &[&str]| {
            let output = Command::new(cluster().programs.join("pgbench"))
                .args(arguments)
                .args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port().to_string(), &self.name])
                .output()
                .unwrap_or_else(|error| panic!("pgbench cannot be run: {error}"));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        static MADE: AtomicU32 = AtomicU32::new(0);
        if MADE.fetch_add(1, Ordering::Relaxed) == 0 {
            pgbench(&["--initialize", "--scale=10", "--quiet"]);
        }
        let (clients, seconds) = (format!("--client={clients}"), format!("--time={seconds}"));
        let told =
            pgbench(&["--builtin=simple-update", "--protocol=prepared", "--jobs=2", "--no-vacuum", &clients, &seconds]);
        let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.unwrap_or_else(|| panic!("pgbench told no rate: {told}"))
    }

    /// The same database by way of another port of this machine.
    pub fn through(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{}", self.name)
    }

    /// Where the server listens.
    pub fn port(&self) -> u16 {
        cluster().port
    }
}

/// Ends the server at once, as a crash of it would, and starts it again. All tests of the process lose their connections.
pub fn restart() {
    let cluster = cluster();
    let pg_ctl = cluster.programs.join("pg_ctl");
    let root = Path::new("/proc/self").metadata().is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(pg_ctl);
        command
    } else {
        Command::new(pg_ctl)
    };
    let status = command
        .args(["-m", "immediate", "-w", "-t", "60", "-D"])
        .arg(cluster.folder.join("data"))
        .arg("-l")
        .arg(cluster.folder.join("log"))
        .arg("restart")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "PostgreSQL could not be restarted");
}

impl Drop for Database {
    fn drop(&mut self) {
        cluster().run(&format!("drop database if exists {} with (force)", self.name));
        if let Some(space) = &self.space {
            cluster().run(&format!("drop tablespace {space}"));
        }
    }
}

/// Ends all connections to all test databases, as a restart of the server would.
pub fn drop_connections(database: &Database) {
    cluster()
        .run(&format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'", database.name));
}

struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    // Never dropped: the pipe closes with the process.
    _keep: ChildStdin,
}

impl Cluster {
    fn run(&self, sql: &str) {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-c", sql])
            .args(["-p", &self.port.to_string(), "-h"])
            .arg(&self.folder)
            .env_remove("PGOPTIONS")
            .output()
            .unwrap_or_else(|error| panic!("psql cannot be run: {error}"));
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let programs = programs();
        let mut report = String::new();
        // Another program may take the free port before PostgreSQL does.
        for _ in 0..3 {
            match start(&programs) {
                Ok(cluster) => return cluster,
                Err(error) => _ = writeln!(report, "{error}"),
            }
        }
        panic!("the throw-away PostgreSQL did not start:\n{report}");
    })
}

/// The folder with the server's programs, of the newest version.
fn programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    found.sort();
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    found
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(on_path.unwrap_or_default())
        .find(|folder| folder.join("initdb").is_file())
        .unwrap_or_else(|| {
            panic!("the tests need PostgreSQL's programs (initdb, pg_ctl, psql): on Debian, apt-get install postgresql")
        })
}

const SCRIPT: &str = r#"
trap '' INT HUP TERM
set -e
[ -w "${TMPDIR:=/tmp}" ] || TMPDIR=/tmp
FOLDER=$(mktemp -d "$TMPDIR/postgres-test-XXXXXX")
trap 'pg_ctl -D "$FOLDER/data" -m immediate stop >/dev/null 2>&1; rm -rf "$FOLDER"' EXIT
chmod 755 "$FOLDER"
initdb -D "$FOLDER/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
cat >>"$FOLDER/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
port = $PORT
unix_socket_directories = '$FOLDER'
max_connections = 300
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
deadlock_timeout = 100ms
END
pg_ctl -D "$FOLDER/data" -l "$FOLDER/log" -w -t 60 start >/dev/null 2>&1 || { cat "$FOLDER/log" >&2; exit 1; }
echo "$FOLDER"
cat >/dev/null
"#;

fn start(programs: &Path) -> Result<Cluster, String> {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no free port: {error}"))?
        .port();
    // PostgreSQL refuses to run as root.
    let root = Path::new("/proc/self").metadata().is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut shell = if root {
        let mut shell = Command::new("runuser");
        shell.args(["-u", "postgres", "--", "sh", "-c", SCRIPT]);
        shell
    } else {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT]);
        shell
    };
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let mut child = shell
        .env("PATH", path)
        .env("PORT", port.to_string())
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that Ctrl-C does not end the shell before its work is done.
        .process_group(0)
        .spawn()
        .map_err(|error| format!("a shell as user postgres cannot be started: {error}"))?;
    let (Some(keep), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the shell has no pipes".into());
    };
    let mut folder = String::new();
    BufReader::new(stdout).read_line(&mut folder).map_err(|error| error.to_string())?;
    let folder = PathBuf::from(folder.trim());
    if folder.as_os_str().is_empty() {
        drop(keep);
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(Cluster { programs: programs.to_owned(), folder, port, _keep: keep })
}
