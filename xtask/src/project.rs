//! What is built and where: the package, its `[package.metadata.leptos]`, and the folders.

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::process::Command;

/// The keys of `[package.metadata.leptos]` that this tool reads; cargo-leptos gives them the same meaning.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Leptos {
    pub output_name: String,
    pub site_root: PathBuf,
    pub site_pkg_dir: String,
    pub site_addr: String,
    pub reload_port: u16,
    pub style_file: PathBuf,
    pub assets_dir: PathBuf,
    pub hash_file_name: String,
    pub bin_features: Vec<String>,
    pub lib_features: Vec<String>,
    pub lib_profile_release: String,
}

pub struct Project {
    /// Whether it is built for use, small and compressed, or for development.
    pub release: bool,
    pub root: PathBuf,
    /// Cargo's target folder; may be shared between checkouts.
    pub target: PathBuf,
    /// The finished site, absolute.
    pub site_root: PathBuf,
    /// Results that outlive a run, beside the site and so never shared between checkouts.
    pub stage: PathBuf,
    pub package: String,
    pub leptos: Leptos,
}

impl Project {
    /// Asks cargo for the workspace of the present folder.
    pub fn load(release: bool) -> Result<Self> {
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--no-deps", "--format-version=1"]).stderr(std::process::Stdio::inherit());
        let output = cargo.output().context("cargo metadata")?;
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
        let root = PathBuf::from(metadata["workspace_root"].as_str().context("workspace_root")?);
        let package = metadata["packages"]
            .as_array()
            .and_then(|all| all.iter().find(|package| !package["metadata"]["leptos"].is_null()))
            .context("no package with [package.metadata.leptos]")?;
        let leptos: Leptos = serde_json::from_value(package["metadata"]["leptos"].clone())
            .context("[package.metadata.leptos] in Cargo.toml")?;
        let site_root = root.join(&leptos.site_root);
        Ok(Self {
            release,
            target: PathBuf::from(metadata["target_directory"].as_str().context("target_directory")?),
            stage: site_root.parent().context("site-root cannot be /")?.join("xtask"),
            package: package["name"].as_str().context("name")?.to_owned(),
            site_root,
            root,
            leptos,
        })
    }

    pub fn cargo(&self, subcommand: &str, features: &[String]) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(&self.root).args([subcommand, "--no-default-features", "--features", &features.join(",")]);
        command
    }

    /// Compiles the server, with the same selection of packages as this tool and the tests (the workspace's default
    /// members), so that the dependencies have the same features every time and are compiled once.
    pub fn compile_server(&self) -> Result<&'static str> {
        let profile = if self.release { "release" } else { "dev" };
        let mut cargo = self.cargo("build", &self.leptos.bin_features);
        run(cargo.args(["--bin", &self.package, "--profile", profile]))
    }

    /// The server program, where tests look for it as well.
    pub fn server(&self) -> PathBuf {
        self.target.join(if self.release { "release" } else { "debug" }).join(&self.package)
    }
}

/// Runs a program, with its output shown, and fails unless it succeeds.
pub fn run(command: &mut Command) -> Result<&'static str> {
    let program = command.get_program().to_owned();
    let status = command.status().with_context(|| format!("cannot start {}", program.display()))?;
    if !status.success() {
        bail!("{} failed: {status}", program.display());
    }
    Ok("")
}

/// A name for content: 128 bits of SHA-256 as 22 characters that are safe in a URL.
pub fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    BASE64_URL_SAFE_NO_PAD.encode(&hasher.finalize()[..16])
}
