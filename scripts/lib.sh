# Sourced by the other scripts: folders, the compiler, and steps that say how long they take.
# shellcheck shell=bash
set -euo pipefail

: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/xiadan
# One target folder for all checkouts: a fresh clone then compiles its own crate only.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
DENY_TESTED=0.20.2
DENY=$CACHE/tools/cargo-deny-$DENY_TESTED/bin/cargo-deny
NGINX=$CACHE/tools/nginx/usr/sbin/nginx
mkdir -p "$CACHE"
cd "$ROOT"

# The compiler that setup.sh chose.
use_toolchain() {
    # shellcheck source=/dev/null
    [ ! -e "$CACHE/env" ] || . "$CACHE/env"
}

say() { printf '%s\n' "$@"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- steps -----------------------------------------------------------------------------------------------------------
# `step NAME COMMAND…` runs a command under a heading and stops at the first that fails; `attempt` goes on and leaves
# the failure to `finish`. The table of all durations is printed at the end, also after a failure. XIADAN_STEPS is
# the file that a called script adds its own lines to.
BEGIN=${EPOCHREALTIME/[.,]/}
CURRENT='' CURRENT_BEGIN=$BEGIN FAILED=() REASONS=''
if [ -z "${XIADAN_STEPS:-}" ]; then
    XIADAN_STEPS=$(mktemp)
    export XIADAN_STEPS
    trap 'end_of_script $?' EXIT
fi

seconds_since() {
    local now=${EPOCHREALTIME/[.,]/}
    printf '%d.%d' $(((now - $1) / 1000000)) $(((now - $1) / 100000 % 10))
}

record() {
    printf '  %-44s %8s s  %s\n' "$1" "$(seconds_since "$CURRENT_BEGIN")" "${2:-}" | tee -a "$XIADAN_STEPS"
    CURRENT=''
}

step() {
    CURRENT=$1 CURRENT_BEGIN=${EPOCHREALTIME/[.,]/}
    shift
    say "== $CURRENT"
    "$@"
    record "$CURRENT"
}

attempt() {
    local log
    CURRENT=$1 CURRENT_BEGIN=${EPOCHREALTIME/[.,]/}
    shift
    say "== $CURRENT"
    log=$(mktemp)
    if "$@" 2>&1 | tee "$log"; then
        record "$CURRENT"
    else
        FAILED+=("$CURRENT")
        REASONS+=$(say '' "$CURRENT:"; reasons "$log")$'\n'
        record "$CURRENT" FAILED
    fi
    rm -f "$log"
}

# What a failed command said of its failures, for whoever reads only the end of a long output.
reasons() {
    grep -E -A 4 '^test .* FAILED$|panicked at|^error(\[|:)|^ +[0-9]+\) \[|^Diff in' "$1" | tail -n 80 || tail -n 20 "$1"
}

table() {
    [ -s "$XIADAN_STEPS" ] || return 0
    say '' 'Durations:'
    cat "$XIADAN_STEPS"
    printf '  %-44s %8s s\n' 'in all' "$(seconds_since "$BEGIN")"
}

end_of_script() {
    [ -z "$CURRENT" ] || record "$CURRENT" FAILED
    [ "$1" = 0 ] || table
    rm -f "$XIADAN_STEPS"
}

# The end of a task: the table, and failure if any attempt failed.
finish() {
    [ ${#FAILED[@]} = 0 ] || {
        say "$REASONS"
        die "failed: ${FAILED[*]}"
    }
    table
}
