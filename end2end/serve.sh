#!/usr/bin/env bash
# A shop of its own for the browser tests: the release build, the demo data, office accounts, a fresh folder.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${XIADAN_TEST_PORT:-4300}
target=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/xiadan/target}
xiadan=${XIADAN_BIN:-$target/release/xiadan}
data=$(mktemp -d)
trap 'kill %1 2>/dev/null; wait; rm -rf "$data"' EXIT INT TERM
"$xiadan" --data "$data" demo --demo demo
# Whoever set a second factor up is asked for it from then on, and some are removed: those tests have logins of their own.
for login in lin wei qin gao tan; do
  printf 'correct horse battery\n' | "$xiadan" --data "$data" admin create "$login" --password-stdin
done
# In development, so that codes can be read and the page of all components is there.
"$xiadan" --data "$data" serve --development --listen "127.0.0.1:$port" --sandbox-listen "127.0.0.1:$((port + 1))" --site "${XIADAN_SITE:-target/site}" &
wait %1
