#!/usr/bin/env bash
# set-up.sh program|tests: installs what is missing (Debian packages, npm packages), configures and builds.
# Does nothing, in a few milliseconds, when nothing has changed since the last time.
set -euo pipefail
goal=$1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
log=build/set-up.log
mkdir -p build

packages=(cmake ninja-build g++ pkg-config git lld libcaf-dev nlohmann-json3-dev libsimdjson-dev libcurl4-openssl-dev libcli11-dev
  libsqlitecpp-dev libsqlite3-dev libgit2-dev libexpected-dev libspdlog-dev libfmt-dev libboost-dev
  libssl-dev libre2-dev libgoogle-perftools-dev libgtest-dev libgmock-dev nodejs python3 python3-pytest)

say() { printf 'cohort: %s\n' "$*" >&2; }

# step TEXT COMMAND...: one line of progress; the command's output only if it fails.
step() {
  say "$1"
  shift
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    say "that failed; the full output stands above"
    exit 1
  fi
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || echo "$name"
  done
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

# Only the tests need these: libFuzzer and the sanitizers come with clang; go runs what was generated for a Go module.
[ "$goal" = tests ] && packages+=(clang libclang-rt-dev golang-go)
# Debian's nodejs comes without npm; other packagings bring their own.
command -v npm >/dev/null 2>&1 || packages+=(npm)

stamp=build/set-up.$goal.stamp
wanted=$(cat cmake/set-up.sh package-lock.json | sha256sum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ] || [ ! -d node_modules ]; then
  mapfile -t missing < <(missing_packages "${packages[@]}")
  [ ${#missing[@]} -eq 0 ] || step "installing ${#missing[@]} Debian packages (${missing[*]})" install_packages "${missing[@]}"
  if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    step "installing grammars from npm" npm ci --ignore-scripts
  fi
  [ -f build/build.ninja ] || step "configuring" cmake --preset release
  [ "$goal" = program ] || [ -f build-fuzz/build.ninja ] || step "configuring the fuzzers" cmake --preset fuzz
  printf '%s' "$wanted" >"$stamp"
fi

# show_progress PID: how far ninja is, by the last step in its log: on a terminal in one line that changes, else a line for
# each tenth of the steps.
show_progress() {
  local step of tenth last=-1
  while kill -0 "$1" 2>/dev/null; do
    sleep 0.5
    IFS=/ read -r step of < <(sed -n 's/^\[\([0-9]*\/[0-9]*\)\].*/\1/p' "$log" 2>/dev/null | tail -n 1) || continue
    [ -n "$of" ] || continue
    if [ -t 2 ]; then
      printf '\rcohort: %s of %s steps ' "$step" "$of" >&2
    else
      tenth=$((10 * step / of))
      [ "$tenth" -le "$last" ] || say "$step of $of steps"
      last=$((tenth > last ? tenth : last))
    fi
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
}

# build FOLDER TARGET: silent if there is nothing to do, which takes a fraction of a second.
build() {
  ninja -C "$1" "$2" >"$log" 2>&1 &
  local running=$!
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 "$running" 2>/dev/null || break
    sleep 0.05
  done
  if kill -0 "$running" 2>/dev/null; then
    say "building $1 (the first time takes some minutes)"
    show_progress "$running"
  fi
  wait "$running" && return
  cat "$log" >&2
  say "the build failed; its output stands above"
  exit 1
}

if [ "$goal" = program ]; then
  build build cohort
else
  build build all
  build build-fuzz all
fi
