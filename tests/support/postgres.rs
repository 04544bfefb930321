//! A throw-away PostgreSQL for tests: one cluster per test process, one database per test. A test of what becomes of a whole
//! server has one of its own.
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
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a server may take to end, and to be there again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database of its own; dropped with this value, whoever is still connected.
pub struct Database {
    name: String,
    /// The table space of its own, if it has one.
    space: Option<String>,
    /// `postgres://…`
    pub url: String,
    cluster: Arc<Cluster>,
}

impl Database {
    /// A fresh, empty database.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed or does not start: every test of data runs on both databases.
    pub fn create() -> Self {
        Self::from_template(shared().clone(), "template0", None)
    }

    /// A fresh, empty database whose tables and indexes lie in a folder of their own, which is made here; such as on a small
    /// disk. What the server writes ahead of them stays where it is. Only root can give the folder to the server.
    pub fn create_in(folder: &Path) -> Self {
        give(folder);
        Self::from_template(shared().clone(), "template0", Some(folder))
    }

    /// A fresh, empty database on a server of its own, everything of which lies in a folder that is made here; such as on a
    /// small disk, for which it writes little ahead. It waits for the disk before it confirms anything. Only root can give
    /// the folder to it.
    pub fn create_apart(folder: &Path) -> Self {
        give(folder);
        let cluster = started(Some(folder));
        assert!(cluster.folder.starts_with(folder), "the server lies elsewhere: {}", cluster.folder.display());
        Self::from_template(Arc::new(cluster), "template0", None)
    }

    /// A copy of this database, made of its files: much faster than applying migrations again.
    /// Nobody may be connected to the original.
    pub fn copy(&self) -> Self {
        Self::from_template(self.cluster.clone(), &self.name, None)
    }

    fn from_template(cluster: Arc<Cluster>, template: &str, folder: Option<&Path>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let space = folder.map(|folder| {
            let space = format!("space_of_{name}");
            cluster.run(&format!("create tablespace {space} location '{}'", folder.display()));
            space
        });
        let on = space.as_ref().map_or_else(String::new, |space| format!(" tablespace {space}"));
        cluster.run(&format!("create database {name} template {template}{on}"));
        let url = format!("postgres://postgres@127.0.0.1:{}/{name}", cluster.port);
        Self { name, space, url, cluster }
    }
}

impl Database {
    /// Has it keep what it confirmed when the server is restarted at once. The throw-away cluster has no need to otherwise.
    pub fn keep(&self) {
        self.cluster.run(&format!("alter database {} set synchronous_commit = on", self.name));
    }

    /// Has the server wait for the disk before it confirms anything, as one that is no throw-away does.
    pub fn wait_for_the_disk(&self) {
        for setting in ["fsync = on", "full_page_writes = on", "synchronous_commit = on", "autovacuum = on"] {
            self.cluster.run(&format!("alter system set {setting}"));
        }
        self.cluster.run("select pg_reload_conf()");
    }

    /// Transactions per second that PostgreSQL's own benchmark gets out of this database with so many clients at once: its
    /// `pgbench`, as simple updates of one of a million rows each.
    pub fn bench(&self, clients: usize, seconds: u32) -> f64 {
        let pgbench = |arguments: &[&str]| {
            let output = Command::new(self.cluster.programs.join("pgbench"))
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
        self.cluster.port
    }

    /// The server that it is on.
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }
}

/// Makes a folder that the server may write to.
fn give(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let given = Command::new("chown").arg("postgres").arg(folder).status();
    assert!(given.is_ok_and(|status| status.success()), "the folder cannot be given to the server");
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    Path::new("/proc/self").metadata().is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server of its own goes with it, and may be down.
        if self.cluster.apart {
            return;
        }
        self.cluster.run(&format!("drop database if exists {} with (force)", self.name));
        if let Some(space) = &self.space {
            self.cluster.run(&format!("drop tablespace {space}"));
        }
    }
}

/// Ends all connections to all test databases, as a restart of the server would.
pub fn drop_connections(database: &Database) {
    database
        .cluster
        .run(&format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'", database.name));
}

/// A server, with all of its databases.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Whether it is of one test alone.
    apart: bool,
    shell: Child,
    /// Closes with this, or with the process.
    keep: Option<ChildStdin>,
}

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It sends everybody away and writes down what it knows, as for a new version of it.
    Fast,
    /// It ends at once and writes nothing down.
    Immediate,
    /// `kill -9` of its first process; those of its connections find out by themselves.
    Killed,
}

impl Cluster {
    /// Ends the server; all tests of the process that are at it lose their connections.
    pub fn stop(&self, how: How) {
        let mode = match how {
            How::Fast => "fast",
            How::Immediate => "immediate",
            How::Killed => return self.kill(),
        };
        assert!(self.control(&["-m", mode, "-w", "-t", "60", "stop"]), "PostgreSQL could not be stopped");
    }

    /// Starts the server again. What is left of one that was killed may still have its memory for a moment: then it is tried
    /// again.
    pub fn start(&self) {
        let (log, begun) = (self.folder.join("log"), Instant::now());
        let log = log.to_str().unwrap();
        while !self.control(&["-l", log, "-w", "-t", "60", "start"]) {
            let told = || fs::read(log).map(|told| String::from_utf8_lossy(&told).into_owned()).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL could not be started again:\n{}", told());
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Starts a server that gave up by itself; whether it had.
    pub fn start_if_down(&self) -> bool {
        let down = !self.control(&["status"]);
        if down {
            self.start();
        }
        down
    }

    fn kill(&self) {
        let lock = self.folder.join("data").join("postmaster.pid");
        let text = fs::read_to_string(&lock).unwrap();
        let process: u32 = text.lines().next().and_then(|line| line.trim().parse().ok()).unwrap();
        let killed = Command::new("kill").args(["-9", &process.to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()), "PostgreSQL could not be killed");
        let begun = Instant::now();
        loop {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            match stat.rsplit_once(") ").map(|(_, state)| state.starts_with('Z')) {
                None => return,
                // Where nobody collects what has ended, its number stays taken, and the next server would take it for one
                // that runs.
                Some(true) => {
                    let _ = fs::remove_file(&lock);
                    let _ = fs::remove_file(self.folder.join(format!(".s.PGSQL.{}.lock", self.port)));
                    return;
                }
                Some(false) => assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not end"),
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs `pg_ctl` as whom the server runs as; whether it succeeded.
    fn control(&self, arguments: &[&str]) -> bool {
        let program = self.programs.join("pg_ctl");
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let status = command
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

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

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keep.take());
        // Its folder may lie on a disk that goes next.
        let _ = self.shell.wait();
    }
}

/// The server of all tests of the process; it goes with the process.
fn shared() -> &'static Arc<Cluster> {
    static CLUSTER: OnceLock<Arc<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(|| Arc::new(started(None)))
}

/// A running server; one that lies in a certain folder is of one test alone.
fn started(folder: Option<&Path>) -> Cluster {
    let programs = programs();
    let mut report = String::new();
    // Another program may take the free port before PostgreSQL does.
    for _ in 0..3 {
        match start(&programs, folder) {
            Ok(cluster) => return cluster,
            Err(error) => _ = writeln!(report, "{error}"),
        }
    }
    panic!("the throw-away PostgreSQL did not start:\n{report}");
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
initdb -D "$FOLDER/data" -U postgres -A trust -E UTF8 --locale=C --no-sync $INITDB >/dev/null
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
$SETTINGS
END
pg_ctl -D "$FOLDER/data" -l "$FOLDER/log" -w -t 60 start >/dev/null 2>&1 || { cat "$FOLDER/log" >&2; exit 1; }
echo "$FOLDER"
cat >/dev/null
"#;

/// Of a server that lies on a small disk: the smallest files that it writes ahead, and few of them; and it waits for the disk.
const SMALL: (&str, &str) = (
    "--wal-segsize=1",
    "min_wal_size = 2MB
max_wal_size = 8MB
fsync = on
synchronous_commit = on
full_page_writes = on",
);

/// A free port below those that systems give to outgoing connections: one that such a connection took while the server was
/// down would not be free when that comes back.
fn free_port() -> Option<u16> {
    const FIRST: u32 = 14_000;
    const MANY: u32 = 6_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Other processes begin elsewhere.
    let begin = std::process::id().wrapping_mul(61);
    let numbers = std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed)).take(MANY as usize);
    let mut ports = numbers.filter_map(|n| u16::try_from(FIRST + begin.wrapping_add(n) % MANY).ok());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

fn start(programs: &Path, folder: Option<&Path>) -> Result<Cluster, String> {
    let port = free_port().ok_or("no port is free")?;
    // PostgreSQL refuses to run as root.
    let mut shell = if is_root() {
        let mut shell = Command::new("runuser");
        shell.args(["-u", "postgres", "--", "sh", "-c", SCRIPT]);
        shell
    } else {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT]);
        shell
    };
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let apart = folder.is_some();
    let (options, settings) = if apart { SMALL } else { ("", "") };
    let mut child = shell
        .env("PATH", path)
        .env("PORT", port.to_string())
        .env("INITDB", options)
        .env("SETTINGS", settings)
        .envs(folder.map(|folder| ("TMPDIR", folder)))
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
    Ok(Cluster { programs: programs.to_owned(), folder, port, apart, shell: child, keep: Some(keep) })
}
