//! The site folder: the client and the styles below `pkg/`, `public/` beside it, and each file compressed as well.

use crate::client::{Client, find_tool};
use crate::project::{Project, hash};
use crate::step;
use anyhow::{Context, Result, anyhow, ensure};
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is worth compressing; pictures and fonts in compressed formats are not.
const COMPRESSED: &[&str] =
    &["css", "html", "ico", "js", "json", "map", "md", "otf", "svg", "ttf", "txt", "wasm", "webmanifest", "xml"];

/// Below this a compressed copy saves no packet.
const WORTH_COMPRESSING: usize = 512;

/// Puts the site together, unless nothing has changed, and swaps it in as a whole.
pub fn assemble(project: &Project, client: &Client) -> Result<()> {
    let mut files = BTreeMap::new();
    let mut css_hash = String::new();
    step("styles", || {
        let css = bundle(project)?;
        css_hash = hash([css.as_bytes()]);
        let name = format!("{}.{css_hash}.css", project.leptos.output_name);
        files.insert(Path::new(&project.leptos.site_pkg_dir).join(name), css.into_bytes());
        Ok("")
    })?;
    let hashes = format!("js: {0}\nwasm: {0}\ncss: {css_hash}\nmanifest: {0}\nsplit: {0}\n", client.hash);
    step("site", || {
        collect(&client.dir, Path::new(&project.leptos.site_pkg_dir), &mut files)?;
        collect(&project.root.join(&project.leptos.assets_dir), Path::new(""), &mut files)?;
        if project.release {
            shorten_scripts(&mut files)?;
        }
        files.insert(PathBuf::from(&project.leptos.hash_file_name), hashes.into_bytes());
        let names = files.iter().flat_map(|(path, content)| [path.as_os_str().as_encoded_bytes(), content]);
        let key = hash(names.chain([[project.release.into()].as_slice(), include_str!("site.rs").as_bytes()]));
        let done = project.stage.join("site.hash");
        if project.site_root.exists() && fs::read_to_string(&done).is_ok_and(|done| done == key) {
            return Ok("unchanged");
        }
        let new = project.site_root.with_extension("new");
        let _ = fs::remove_dir_all(&new);
        let _ = fs::remove_file(&done);
        files.par_iter().try_for_each(|(path, content)| -> Result<()> {
            let to = new.join(path);
            fs::create_dir_all(to.parent().context("a file has a folder")?)?;
            fs::write(&to, content)?;
            if project.release { compress(&to, &project.site_root.join(path), content) } else { Ok(()) }
        })?;
        let _ = fs::remove_dir_all(&project.site_root);
        fs::rename(&new, &project.site_root)?;
        fs::write(done, key)?;
        Ok("")
    })
}

/// Resolves every `@import` of the style file into one minified sheet.
fn bundle(project: &Project) -> Result<String> {
    let provider = FileProvider::new();
    let mut bundler = Bundler::new(&provider, None, ParserOptions::default());
    let entry = project.root.join(&project.leptos.style_file);
    let mut sheet = bundler.bundle(&entry).map_err(|error| anyhow!("{}: {error}", entry.display()))?;
    let minify = project.release;
    if minify {
        sheet.minify(MinifyOptions::default()).map_err(|error| anyhow!("styles: {error}"))?;
    }
    Ok(sheet.to_css(PrinterOptions { minify, ..PrinterOptions::default() }).context("styles")?.code)
}

/// Takes out of the scripts what only people need, where `esbuild` is at hand.
fn shorten_scripts(files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let Some((esbuild, _)) = find_tool("esbuild").into_iter().next() else {
        println!("  no esbuild: the scripts work but are larger");
        return Ok(());
    };
    let scripts = files.iter_mut().filter(|(path, _)| path.extension().is_some_and(|extension| extension == "js"));
    for (path, script) in scripts {
        let mut command = Command::new(&esbuild);
        // What the build writes names its loader once for each part.
        command.args(["--minify", "--charset=utf8", "--log-override:duplicate-object-key=silent"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("esbuild")?;
        child.stdin.take().context("esbuild")?.write_all(script)?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "esbuild: {}", path.display());
        *script = output.stdout;
    }
    Ok(())
}

/// Reads a folder and all below it; hidden files stay out.
fn collect(dir: &Path, to: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().context("an entry has a name")?;
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if path.is_dir() {
            collect(&path, &to.join(name), files)?;
        } else {
            let content = fs::read(&path).with_context(|| path.display().to_string())?;
            files.insert(to.join(name), content);
        }
    }
    Ok(())
}

/// Writes `file.br` and `file.gz`, taken over from the last site if the file was already in it with this content.
fn compress(file: &Path, before: &Path, content: &[u8]) -> Result<()> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if content.len() < WORTH_COMPRESSING || !COMPRESSED.contains(&extension) {
        return Ok(());
    }
    let with = |path: &Path, end: &str| path.with_extension(format!("{extension}.{end}"));
    if fs::read(before).is_ok_and(|old| old == content)
        && fs::copy(with(before, "br"), with(file, "br")).is_ok()
        && fs::copy(with(before, "gz"), with(file, "gz")).is_ok()
    {
        return Ok(());
    }
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    let mut small = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut small, &params)?;
    fs::write(with(file, "br"), small)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(content)?;
    fs::write(with(file, "gz"), gzip.finish()?)?;
    Ok(())
}
