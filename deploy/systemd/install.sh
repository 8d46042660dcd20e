#!/usr/bin/env bash
# Installs Pixelmend on this machine as a systemd service, or brings an installation up to date:
#
#   sudo deploy/systemd/install.sh [--nginx] [--no-start]
#
# From the checkout that it lies in: its committed state goes to /opt/pixelmend/src, the Python environment to
# /opt/pixelmend/venv. Settings are in /etc/pixelmend/pixelmend.env, which is made once and never overwritten; data
# is in /var/lib/pixelmend. --nginx also puts the proxy's configuration into /etc/nginx, listening on port 80.
#
# PREFIX=DIR installs below DIR without users, services or a start, to see what would come of it.
set -euo pipefail

nginx=no start=yes
for argument in "$@"; do
    case $argument in
        --nginx) nginx=yes ;;
        --no-start) start=no ;;
        *) echo "install.sh: there is no option $argument; there are --nginx and --no-start" >&2; exit 2 ;;
    esac
done
prefix=${PREFIX:-}
checkout=$(cd "$(dirname "$0")/../.." && pwd)
home=$prefix/opt/pixelmend

fail() { echo "install.sh: $1" >&2; exit 1; }
[ -n "$prefix" ] || [ "$(id -u)" = 0 ] || fail "has to run as root, or with PREFIX=DIR to look at the result"
[ -n "$prefix" ] || command -v systemctl >/dev/null || fail "systemctl is not here; is this a systemd machine?"
command -v git >/dev/null || fail "git is not here"
python=$("$checkout/requirements/python.sh" "${PYTHON:-}") || exit 1
python=$(command -v "$python")

if [ -z "$prefix" ]; then
    getent passwd pixelmend >/dev/null || useradd --system --home-dir /var/lib/pixelmend --shell /usr/sbin/nologin pixelmend
    for group in video render; do getent group $group >/dev/null || groupadd --system $group; done
fi

# The new version beside the old one, and a rename at the end: an installation that breaks off changes nothing.
mkdir -p "$home"
rm -rf "$home/src.new"
mkdir "$home/src.new"
git -C "$checkout" archive HEAD | tar -x -C "$home/src.new"
if command -v npm >/dev/null && [ -f "$home/src.new/frontend/package.json" ]; then
    # Not as root: a package may run scripts of its own when it is installed.
    build=$(mktemp -d)
    cp -r "$home/src.new/frontend" "$build/"
    # What the app does by itself (VITE_UPSCALE_MODE, VITE_API_URL), and none of the service's secrets.
    for settings in "$checkout/.env" "$prefix/etc/pixelmend/pixelmend.env"; do
        [ ! -f "$settings" ] || grep '^VITE_' "$settings" >> "$build/.env" || true
    done
    unprivileged=()
    if [ -z "$prefix" ]; then
        chown -R pixelmend "$build"
        unprivileged=(runuser -u pixelmend --)
    fi
    (cd "$build/frontend" && "${unprivileged[@]}" env HOME="$build" npm ci --no-audit --no-fund &&
        "${unprivileged[@]}" env HOME="$build" npm run build)
    # Links stay links, so that a build cannot have files of root's copied.
    cp -r --no-dereference "$build/frontend/dist" "$home/src.new/frontend/dist"
    rm -rf "$build"
elif [ -d "$checkout/frontend/dist" ]; then
    cp -r "$checkout/frontend/dist" "$home/src.new/frontend/dist"
else
    echo "install.sh: Node.js is not here, so there is no web app; the API works without it" >&2
fi
rm -rf "$home/venv.new"
"$python" -m venv "$home/venv.new"
"$home/venv.new/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r "$home/src.new/requirements/uv.txt"
(cd "$home/src.new" && sh deploy/install_requirements.sh "$home/venv.new/bin/uv" "$home/venv.new" "${TORCH_BACKEND:-default}")
"$home/venv.new/bin/uv" pip install --quiet --python "$home/venv.new/bin/python" --no-deps --no-build-isolation \
    "$home/src.new"
# Scripts name their interpreter by its place, which changes with the rename.
sed -i "1s|$home/venv.new/bin|${home#"$prefix"}/venv/bin|" "$home/venv.new/bin/pixelmend"
if [ -z "$prefix" ] && systemctl is-active --quiet pixelmend; then systemctl stop pixelmend; fi
for part in src venv; do
    rm -rf "$home/$part.old"
    [ ! -e "$home/$part" ] || mv "$home/$part" "$home/$part.old"
    mv "$home/$part.new" "$home/$part"
done

mkdir -p "$prefix/etc/pixelmend" "$prefix/etc/systemd/system"
if [ ! -e "$prefix/etc/pixelmend/pixelmend.env" ]; then
    install -m 0640 "$home/src/.env.example" "$prefix/etc/pixelmend/pixelmend.env"
    [ -n "$prefix" ] || chown root:pixelmend /etc/pixelmend/pixelmend.env
fi
install -m 0644 "$home/src/deploy/systemd/pixelmend.service" "$prefix/etc/systemd/system/pixelmend.service"

if [ $nginx = yes ]; then
    # Whose word on a caller's address is believed: the proxy's on this machine, unless something else is set.
    grep -q '^PIXELMEND_TRUSTED_PROXIES=' "$prefix/etc/pixelmend/pixelmend.env" ||
        echo 'PIXELMEND_TRUSTED_PROXIES=127.0.0.1' >> "$prefix/etc/pixelmend/pixelmend.env"
    mkdir -p "$prefix/etc/nginx/pixelmend" "$prefix/etc/nginx/conf.d"
    cp "$home/src/nginx/pixelmend/"*.conf "$prefix/etc/nginx/pixelmend/"
    sed 's|backend:8000|127.0.0.1:8000|' "$home/src/nginx/pixelmend/upstream.conf" > "$prefix/etc/nginx/pixelmend/upstream.conf"
    sh "$home/src/nginx/allow_api.sh" "$home/src/frontend/dist" "$prefix/etc/nginx/pixelmend"
    if [ ! -e "$prefix/etc/nginx/conf.d/pixelmend.conf" ]; then
        # A kernel that was started without IPv6 has no sockets for [::], and nginx would refuse its configuration.
        without=$([ -e /proc/net/if_inet6 ] || echo '/listen \[::\]:/d')
        sed "$without" "$home/src/nginx/site.conf" > "$prefix/etc/nginx/conf.d/pixelmend.conf"
    fi
    if [ -z "$prefix" ]; then nginx -t && systemctl reload nginx; fi
fi

if [ -z "$prefix" ]; then
    systemctl daemon-reload
    systemctl enable pixelmend
    if [ $start = yes ]; then
        systemctl restart pixelmend
        for _ in $(seq 90); do
            if "$python" -c 'import urllib.request as u; u.build_opener(u.ProxyHandler({})).open("http://127.0.0.1:8000/readyz", timeout=2)' 2>/dev/null; then
                echo "Pixelmend is ready on http://127.0.0.1:8000"
                exit 0
            fi
            sleep 2
        done
        fail "the service is not ready after three minutes; see: journalctl -u pixelmend"
    fi
fi
echo "installed in $home"
