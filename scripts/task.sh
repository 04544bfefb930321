#!/usr/bin/env bash
# What `make build`, `make run`, `make dev`, `make test`, `make faults`, `make check`, `make bench` and `make clean` do.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ADDRESS=${XIADAN_LISTEN:-127.0.0.1:3000}
DATA=${XIADAN_DATA:-$ROOT/data}
XIADAN=$CARGO_TARGET_DIR/release/xiadan
export XIADAN_SITE=$ROOT/target/site

setup() {
    "$ROOT/scripts/setup.sh" "$@"
    use_toolchain
}

# The same packages (the default members) are selected everywhere, so that dependencies have the same features and are
# compiled once.
build() {
    step 'build: the build tool' cargo build --release --features ssr --bin xtask
    step 'build: client, site and server' "$CARGO_TARGET_DIR/release/xtask" build
}

build_only() {
    setup
    build
    finish
}

# --- run: everything a first visitor needs ---
office_account() {
    mkdir -p "$DATA"
    [ -s "$DATA/office.txt" ] || {
        (umask 077 && "$XIADAN" admin create --demo >"$DATA/office.txt.new")
        mv "$DATA/office.txt.new" "$DATA/office.txt"
    }
}

where_to_click() {
    say '' "The shop     http://$ADDRESS/" "The office   http://$ADDRESS/office" '' 'Sign in to the office with:'
    sed 's/^/  /' "$DATA/office.txt"
    say "  (kept in data/office.txt; Ctrl-C stops the server)" '' "Codes to sign in to the shop are read at http://$ADDRESS/outbox" ''
}

run() {
    setup
    build
    mkdir -p "$DATA"
    step 'demo shop' "$XIADAN" demo
    step 'office account' office_account
    finish
    where_to_click
    rm -f "$XIADAN_STEPS"
    # In development, so that a newcomer can read the codes that nothing sends yet.
    exec "$XIADAN" serve --development
}

dev() {
    setup
    step 'build: the build tool' cargo build --release --features ssr --bin xtask
    # Sources that do not compile yet are no reason to end: the build tool waits until they change.
    attempt 'build: client, site and server' "$CARGO_TARGET_DIR/release/xtask" build --dev
    XIADAN=$CARGO_TARGET_DIR/debug/xiadan
    # The build tool serves at the address that the package names.
    ADDRESS=$(sed -n 's/^site-addr = "\(.*\)"$/\1/p' Cargo.toml)
    if [ ${#FAILED[@]} = 0 ]; then
        step 'office account' office_account
        where_to_click
    else
        say '' 'No office account was looked for, because the build failed: start again once it succeeds.' ''
    fi
    rm -f "$XIADAN_STEPS"
    exec "$CARGO_TARGET_DIR/release/xtask" dev
}

tests() {
    setup --tests
    build
    # What helps to compile again, and to look at a crash, is made for nobody where the tests run once.
    [ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=none
    [ -z "${CI:-}" ] || attempt 'formatting' cargo fmt --all --check
    # The development profile: optimising the crate once more for its tests takes longer than compiling the dependencies.
    # Not of the build tool, which has none: its libraries would be compiled a second time.
    attempt 'tests: Rust' cargo test --package xiadan --features ssr --no-fail-fast
    [ ! -e end2end/package.json ] || attempt 'tests: browser' env -C end2end node_modules/.bin/playwright test
    finish
}

# What takes minutes because something goes wrong again and again, which `make test` leaves out; and the crashes and clocks
# that it has as well. One at a time: some stop the database for all.
faults() {
    local one_at_a_time=(--test-threads=1 --nocapture)
    setup --tests
    attempt 'tests: faults' cargo test --features ssr --package xiadan --test it -- --ignored "${one_at_a_time[@]}"
    attempt 'tests: crashes and clocks' cargo test --features ssr --package xiadan --test it -- \
        "${one_at_a_time[@]}" crash:: clocks::
    finish
}

# Licences, versions and sources are known here; of known holes somebody else keeps the list.
known_holes() {
    if timeout 60 "$DENY" fetch db >/dev/null 2>&1; then
        "$DENY" check advisories
    else
        say '   the database of known holes cannot be reached: the dependencies were not looked up in it'
    fi
}

check() {
    setup --checks
    attempt 'formatting' cargo fmt --all --check
    attempt 'clippy: server and build tool' cargo clippy --features ssr --all-targets -- -D warnings
    attempt 'clippy: client' cargo clippy --package xiadan --lib --features hydrate \
        --target wasm32-unknown-unknown -- -D warnings
    attempt 'tests: fast' cargo test --features ssr --lib
    if [ -x "$DENY" ]; then
        attempt 'dependencies: licences, versions, sources' "$DENY" check bans licenses sources
        attempt 'dependencies: known holes' known_holes
    fi
    finish
}

bench() {
    # A first visit is measured in a browser, and a shared page against nginx.
    setup --bench
    build
    [ ! -x "$NGINX" ] || export XIADAN_NGINX=$NGINX
    # Ten thousand open pages are as many files, and some more.
    ulimit -Sn "$(ulimit -Hn)" || true
    step 'bench' cargo bench --features ssr --bench shop
    finish
}

# The data and the shared cache stay.
clean() {
    rm -rf "$ROOT/target" "$ROOT/end2end/test-results" "$ROOT/end2end/playwright-report"
    use_toolchain
    ! has cargo || cargo clean --release --package xiadan --package xtask
}

case ${1:-} in
    run | dev | faults | check | bench | clean) "$1" ;;
    build) build_only ;;
    test) tests ;;
    *) die "unknown task: ${1:-}" ;;
esac
