//! The build tool: `cargo xtask build` and `cargo xtask dev`.
//!
//! It does what `cargo leptos` does, with the same `[package.metadata.leptos]`, on the same libraries, but as a part
//! of this workspace: `wasm-bindgen` is pinned once for the client and for the tool, and nothing but Rust is needed.
//!
//! Files of the site: everything below `/pkg/` carries the hash of its content in its name and may be cached for
//! ever; everything else is a file of `public/` under its own name. `hash.txt` says which hashes are current.

mod client;
mod dev;
mod project;
mod site;

use anyhow::{Result, bail};
use project::Project;
use std::time::Instant;

const USAGE: &str = "usage: cargo xtask <command>
  build [--dev]   client, styles and public files into the site folder, then the server
  dev             build, serve, and again whenever a source changes; open pages reload";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.join(" ").as_str() {
        "build" => build(&Project::load(true)?),
        "build --dev" => build(&Project::load(false)?),
        "dev" => dev::run(&Project::load(false)?),
        _ => bail!("{USAGE}"),
    }
}

/// Builds everything. The server compiles beside the client: each keeps one core busy for most of its time, the client
/// while it is linked as a whole, the server while its types are checked.
fn build(project: &Project) -> Result<()> {
    let start = Instant::now();
    std::thread::scope(|scope| {
        let server = scope.spawn(|| step("server: cargo", || project.compile_server()));
        let site = step("client: cargo", || client::compile(project))
            .and_then(|()| client::finish(project))
            .and_then(|client| site::assemble(project, &client));
        site.and(server.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    println!("built in {:.1} s", start.elapsed().as_secs_f32());
    println!("  site   {}", project.site_root.display());
    println!("  server {}", project.server().display());
    Ok(())
}

/// Runs one step and prints its name and duration; a step that had nothing to do says so in `Ok("unchanged")`.
fn step(name: &str, work: impl FnOnce() -> Result<&'static str>) -> Result<()> {
    let start = Instant::now();
    let note = work()?;
    println!("  {name:<24}{:>7.1} s  {note}", start.elapsed().as_secs_f32());
    Ok(())
}
