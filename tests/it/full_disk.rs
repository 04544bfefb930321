//! A full disk below a shop under load: of the only node on SQLite with everything that it has, of the tables of PostgreSQL,
//! and of PostgreSQL as a whole, which may give up then. No order is confirmed for which there is no room, none that was is
//! lost, and with room again the shop goes on. `make faults` runs them.

use crate::{
    client::Server,
    load::{Load, PATIENCE, Scene},
    postgres::{self, Cluster, Database},
};
use std::{
    fs,
    io::Write,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::spawn_blocking, time::sleep};
use xiadan::args;

/// A small disk in memory; it goes away with this.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None where only root could mount one, and this is not root.
    fn mount(megabytes: u32) -> Option<Self> {
        if !cfg!(target_os = "linux") || !postgres::is_root() {
            eprintln!("skipped: only root can mount a small disk, and on Linux alone");
            return None;
        }
        // Where the database server comes through as well.
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=755"), "tmpfs"]).arg(folder.path());
        let mounted = mount.output().unwrap_or_else(|error| panic!("mount cannot be run: {error}"));
        assert!(
            mounted.status.success(),
            "a small disk could not be mounted by root; in a container that takes the capability SYS_ADMIN: {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn a_full_disk_takes_no_order_and_loses_none() {
    let Some(disk) = Disk::mount(64) else { return };
    let scene = Scene::sqlite(tempfile::tempdir_in(disk.path()).unwrap()).await;
    let mut nodes = scene.nodes(&scene.url).await;
    let mut load = Load::start(&scene);
    fill_again_and_again(&disk, &load, &scene, &mut nodes, None).await;
    load.end().await;
    scene.settle(&load).await;
    let db = &scene.app.db;
    let sound = db.one("select integrity_check as found from pragma_integrity_check", args![]).await.unwrap();
    assert_eq!(sound.get::<String>("found").unwrap(), "ok");
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn a_full_disk_below_the_tables_takes_no_order_and_loses_none() {
    let Some(disk) = Disk::mount(64) else { return };
    let database = Database::create_in(&disk.path().join("tables"));
    let scene = Scene::postgres(&database).await;
    let mut nodes = scene.nodes(&scene.url).await;
    let mut load = Load::start(&scene);
    fill_again_and_again(&disk, &load, &scene, &mut nodes, None).await;
    load.end().await;
    scene.settle(&load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes long: make faults"]
async fn a_full_disk_below_the_whole_database_takes_no_order_and_loses_none() {
    let Some(disk) = Disk::mount(128) else { return };
    let database = Database::create_apart(&disk.path().join("server"));
    let scene = Scene::postgres(&database).await;
    let mut nodes = scene.nodes(&scene.url).await;
    let mut load = Load::start(&scene);
    fill_again_and_again(&disk, &load, &scene, &mut nodes, Some(database.cluster())).await;
    load.end().await;
    scene.settle(&load).await;
}

/// Fills a disk until nothing is confirmed any more, sees that all nodes go on, and makes room again; three times. A server
/// that gave up meanwhile is started again.
async fn fill_again_and_again(
    disk: &Disk,
    load: &Load,
    scene: &Scene,
    nodes: &mut [Server],
    server: Option<&Arc<Cluster>>,
) {
    let filler = disk.path().join("filler");
    for _ in 0..3 {
        load.goes_on(15).await;
        let noticed = load.noticed();
        fill(&filler);
        // Here and there is some room left; then nothing is confirmed any more.
        let mut before = load.confirmed();
        let begun = Instant::now();
        loop {
            sleep(Duration::from_secs(1)).await;
            let now = load.confirmed();
            if now == before && load.noticed() > noticed {
                break;
            }
            before = now;
            assert!(begun.elapsed() < PATIENCE, "orders are confirmed without a disk to keep them");
            fill(&filler);
        }
        for node in &mut *nodes {
            assert!(node.child.try_wait().unwrap().is_none(), "the program goes on");
            let alive = scene.client.get(format!("{}/healthz", node.url)).send().await.unwrap();
            assert_eq!(alive.status(), 200);
        }
        fs::remove_file(&filler).unwrap();
        if let Some(server) = server {
            revive(server, load).await;
        }
    }
    load.goes_on(15).await;
}

/// Starts a server that gave up by itself, until orders are confirmed again.
async fn revive(server: &Arc<Cluster>, load: &Load) {
    let (begun, confirmed, mut starts) = (Instant::now(), load.confirmed(), 0);
    while load.confirmed() == confirmed {
        assert!(begun.elapsed() < PATIENCE, "there is room again, and nobody gets an order confirmed");
        let server = server.clone();
        // It may give up only now, as it fails to recover.
        starts += u32::from(spawn_blocking(move || server.start_if_down()).await.unwrap());
        sleep(Duration::from_millis(200)).await;
    }
    let after = begun.elapsed();
    eprintln!("the server had given up and was started {starts} times; orders were confirmed again after {after:?}");
}

/// Fills what is left of a disk.
fn fill(file: &Path) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    for size in [64 * 1024, 512] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
