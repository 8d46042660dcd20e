#!/bin/sh
# start.sh: nginx with the nginx.conf beside it, as the process of a container.
#
# A kernel that was started without IPv6 has no sockets for [::], and nginx would end with an error.
set -eu
conf=$(cd "$(dirname "$0")" && pwd)
if [ ! -e /proc/net/if_inet6 ]; then
    shipped=$conf conf=/tmp/nginx-conf
    rm -rf "$conf"
    mkdir "$conf"
    cp -r "$shipped/pixelmend" "$conf/"
    sed '/listen \[::\]:/d' "$shipped/nginx.conf" > "$conf/nginx.conf"
fi
exec nginx -c "$conf/nginx.conf" -g "daemon off;"
