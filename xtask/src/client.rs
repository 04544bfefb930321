//! The browser's half: compile to WebAssembly, split the lazy routes off, write the JavaScript glue, optimise.
//!
//! The main file imports the loader of the parts, the loader imports the main file and names every part: the names
//! form a circle. So all files of one client carry one hash, taken from what they are made from, before they are made.

use crate::project::{Project, hash, run};
use crate::step;
use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// The oldest `wasm-opt` known to read what current compilers write.
const OLDEST_WASM_OPT: u32 = 120;

/// Size first, with the features that the target has switched on by default.
const WASM_OPT: &str = "-Oz --strip-debug --strip-producers --enable-bulk-memory --enable-bulk-memory-opt \
    --enable-multivalue --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types \
    --enable-sign-ext";

/// A finished client: a folder of files whose names all contain `hash`.
pub struct Client {
    pub dir: PathBuf,
    pub hash: String,
}

/// Compiles the library for the browser. The linker keeps its relocations, which is what splitting needs; the flag
/// goes to the last crate alone, so that the dependencies are the same as for `cargo clippy`.
pub fn compile(project: &Project) -> Result<&'static str> {
    let profile = if project.release { &project.leptos.lib_profile_release } else { "dev" };
    let mut cargo = project.cargo("rustc", &project.leptos.lib_features);
    cargo.args(["--package", &project.package, "--lib", "--target", TARGET, "--profile", profile]);
    // As a `cdylib` alone: link time optimisation is left out as long as the crate is also an `rlib`.
    run(cargo.args(["--crate-type", "cdylib", "--", "-Clink-arg=--emit-relocs"]))
}

/// Makes the client's files from the compiled library, or finds them made already.
pub fn finish(project: &Project) -> Result<Client> {
    let folder = if project.release { &project.leptos.lib_profile_release } else { "debug" };
    let built = project.target.join(TARGET).join(folder).join(format!("{}.wasm", project.package));
    let wasm = fs::read(&built).with_context(|| built.display().to_string())?;
    let wasm_opt = if project.release { find_wasm_opt() } else { None };
    let version = wasm_opt.as_ref().map_or("", |(_, version)| version);
    // What shortens the scripts writes other bytes under the same names too.
    let shortener = find_tool("esbuild").into_iter().next().map_or_else(String::new, |(_, version)| version);
    let hash = hash([include_str!("client.rs").as_bytes(), version.as_bytes(), shortener.as_bytes(), &wasm]);

    let client = Client { dir: project.stage.join(folder), hash };
    let done = client.dir.with_extension("hash");
    if fs::read_to_string(&done).is_ok_and(|done| done == client.hash) {
        step("client: split, bindgen", || Ok("unchanged"))?;
    } else {
        let _ = fs::remove_file(&done);
        let _ = fs::remove_dir_all(&client.dir);
        fs::create_dir_all(&client.dir)?;
        step("client: split", || split(project, &client, &wasm))?;
        step("client: bindgen", || bindgen(project, &client))?;
        if let Some((program, _)) = &wasm_opt {
            step("client: wasm-opt", || optimise(&client, program))?;
        }
        fs::write(done, &client.hash)?;
    }
    if project.release && wasm_opt.is_none() {
        println!("  no wasm-opt {OLDEST_WASM_OPT} or newer: the client works but is about twice as large");
    }
    Ok(client)
}

/// Moves what only lazy routes need into files of their own, and writes their loader and the table of which files a
/// route needs. Leptos finds both by the names used here.
fn split(project: &Project, Client { dir, hash }: &Client, wasm: &[u8]) -> Result<&'static str> {
    let loader = format!("./__wasm_split.{hash}.js");
    let main_module = format!("./{}.{hash}.js", project.leptos.output_name);
    let main = dir.with_extension("wasm");
    let mut options = wasm_split_cli_support::Options::new(wasm);
    options.output_dir = dir;
    options.main_out_path = &main;
    options.main_module = &main_module;
    options.link_name = &loader;
    let split = wasm_split_cli_support::transform(options).map_err(|error| anyhow!("wasm_split: {error:?}"))?;

    let mut script = fs::read_to_string(dir.join(&loader))?;
    for part in &split.split_modules {
        let stem = part.file_stem().and_then(|stem| stem.to_str()).context("name of a part")?;
        fs::rename(part, dir.join(format!("{stem}.{hash}.wasm")))?;
        script = script.replace(&format!("\"./{stem}.wasm\""), &format!("\"./{stem}.{hash}.wasm\""));
    }
    fs::write(dir.join(&loader), script)?;
    let hashed = |parts: &Vec<String>| parts.iter().map(|part| format!("{part}.{hash}")).collect();
    let routes: BTreeMap<_, Vec<_>> = split.prefetch_map.iter().map(|(route, parts)| (route, hashed(parts))).collect();
    fs::write(dir.join(format!("__wasm_split_manifest.{hash}.json")), serde_json::to_vec(&routes)?)?;
    Ok("")
}

/// Writes the JavaScript glue. The page says where the WebAssembly file is, so the glue must not guess its name.
fn bindgen(project: &Project, Client { dir, hash }: &Client) -> Result<&'static str> {
    let name = &project.leptos.output_name;
    let main = dir.with_extension("wasm");
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(&main).out_name(name).web(true)?.typescript(false).omit_default_module_path(true);
    bindgen.keep_lld_exports(true).demangle(false).remove_name_section(project.release);
    bindgen.remove_producers_section(project.release).generate(dir)?;
    fs::remove_file(main)?;
    fs::rename(dir.join(format!("{name}_bg.wasm")), dir.join(format!("{name}.{hash}.wasm")))?;
    let glue = dir.join(format!("{name}.js"));
    // Scripts inside crates keep their names; their folder gets the hash.
    let script = fs::read_to_string(&glue)?.replace("'./snippets/", &format!("'./snippets.{hash}/"));
    fs::rename(glue, dir.join(format!("{name}.{hash}.js")))?;
    fs::write(dir.join(format!("{name}.{hash}.js")), script)?;
    if dir.join("snippets").exists() {
        fs::rename(dir.join("snippets"), dir.join(format!("snippets.{hash}")))?;
    }
    Ok("")
}

/// Optimises every part, the largest first so that no core idles at the end.
fn optimise(client: &Client, wasm_opt: &Path) -> Result<&'static str> {
    let mut files: Vec<_> = fs::read_dir(&client.dir)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    files.sort_by_key(|file| Reverse(fs::metadata(file).map_or(0, |data| data.len())));
    let small = |file| run(Command::new(wasm_opt).args(WASM_OPT.split_whitespace()).arg(file).arg("-o").arg(file));
    files.par_iter().with_max_len(1).try_for_each(|file| small(file).map(drop))?;
    Ok("")
}

/// A `wasm-opt` that is new enough and what it calls its version: from the tools folder or from the PATH.
fn find_wasm_opt() -> Option<(PathBuf, String)> {
    find_tool("wasm-opt").into_iter().find_map(|(program, version)| {
        let number: u32 = version.split_whitespace().nth(2)?.parse().ok()?;
        (number >= OLDEST_WASM_OPT).then_some((program, version))
    })
}

/// The programs of a name in the tools folder and on the PATH, with what each calls its version.
pub fn find_tool(name: &str) -> Vec<(PathBuf, String)> {
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).unwrap_or_default();
    let programs = [cache.join("xiadan/tools/node_modules/.bin").join(name), PathBuf::from(name)];
    let version = |program: &Path| String::from_utf8(Command::new(program).arg("--version").output().ok()?.stdout).ok();
    programs.into_iter().filter_map(|program| version(&program).map(|version| (program, version))).collect()
}
