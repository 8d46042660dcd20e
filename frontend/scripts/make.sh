#!/usr/bin/env bash
# The web app's part of make: build, check, test. If Node or a browser is missing, it says so. That is an error if CI is
# set; otherwise make goes on without the web app.
set -euo pipefail
cd "$(dirname "$0")/.."
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
OLDEST_NODE=20.19

lacking() {
  echo "web app: $1" >&2
  if [ -n "${CI:-}" ]; then exit 1; fi
  exit 0
}

is_node_usable() {
  command -v npm > /dev/null && command -v node > /dev/null &&
    [ "$(printf '%s\n' "$OLDEST_NODE" "$(node -p process.versions.node)" | sort -V | head -n 1)" = "$OLDEST_NODE" ]
}

install() {
  if [ ! node_modules/.stamp -nt package-lock.json ]; then
    npm ci --no-audit --no-fund --loglevel=error || return 1
    touch node_modules/.stamp
  fi
}

# A build is made again if a source is newer, and if it would do something else by itself now.
is_built() { # CHOICES
  [ -f dist/index.html ] && [ -f dist/build.json ] && [ "$(cat dist/build.json)" = "$1" ] &&
    [ -z "$(find src public index.html vite.config.ts scripts/choices.mjs package-lock.json -newer dist/index.html -print -quit)" ]
}

build() {
  install || return 1
  local choices
  choices=$(node scripts/choices.mjs) || exit 2
  is_built "$choices" || { npx tsc -b && npx vite build --logLevel warn; }
}

what_is_there() {
  if [ -f dist/index.html ]; then echo "the last build stays"; else echo "the service has its API only"; fi
}

# need_packages WHAT: what is not done without them.
need_packages() {
  is_node_usable || lacking "not $1, since Node.js $OLDEST_NODE or newer is not here"
  install || lacking "not $1, since its packages could not be installed"
}

find_browser() {
  for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return 0
  done
  return 1
}

# The tests are of the usual app, whatever .env says.
build_usual() {
  need_packages "built for the tests"
  export VITE_UPSCALE_MODE=server VITE_API_URL=
  build
}

case "$1" in
  build)
    is_node_usable || lacking "not built, since Node.js $OLDEST_NODE or newer is not here; $(what_is_there)"
    build || lacking "not built; $(what_is_there)"
    ;;
  check)
    need_packages checked
    npm run --silent check
    ;;
  units)
    need_packages tested
    npm run --silent test
    ;;
  usual)
    build_usual
    ;;
  browser | browser-full)
    build_usual
    CHROMIUM=$(find_browser) || lacking "not tested in a browser, since there is no Chromium; CHROMIUM=/path/to/it names one"
    export CHROMIUM
    if [ "$1" = browser ]; then npm run --silent e2e -- --grep @daily; else npm run --silent e2e; fi
    ;;
esac
