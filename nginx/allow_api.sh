#!/bin/sh
# allow_api.sh WEB CONF: lets the pages that nginx serves ask the service that their build names (VITE_API_URL).
#
# WEB is the built web app, CONF the folder of nginx with Pixelmend's files. Run it again after another build.
set -eu
[ $# = 2 ] || { echo "usage: allow_api.sh WEB CONF" >&2; exit 2; }
record=$1/build.json origin=
# Only what can be an origin gets into the configuration.
[ ! -f "$record" ] ||
    origin=$(sed -n 's|.*"apiUrl":"\(https\{0,1\}://[A-Za-z0-9.-]*\(:[0-9]\{1,5\}\)\{0,1\}\)["/].*| \1|p' "$record")
conf=$2/api-origin.conf
sed "s|default \".*\";|default \"$origin\";|" "$conf" > "$conf.new"
mv "$conf.new" "$conf"
