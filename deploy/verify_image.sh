#!/usr/bin/env bash
# Builds Dockerfile.gpu for real and drives what it built, on a Debian machine without a Docker engine: as root,
# with buildah, debootstrap, curl and Node.js 20. The result goes to deploy/verified.md, and what is in the image
# to dist/pixelmend-image.cdx.json (CycloneDX, by deploy/sbom.py).
#
#   make verify-image
#
# Base images are made from Debian's packages, since registries of images may be out of reach; everything above
# them is the Dockerfile's. BASE=python:3.12-slim-bookworm NODE_BASE=node:20-bookworm-slim takes the usual ones
# instead. REUSE=yes looks at the image of the last run again.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
name=pixelmend-verify
export BUILDAH_ISOLATION=chroot
# Without copies of whole images, if the kernel can.
export STORAGE_DRIVER=overlay
buildah info >/dev/null 2>&1 || STORAGE_DRIVER=vfs
containers=()
server=
finish() {
    [ -z "$server" ] || kill -- "-$server" 2>/dev/null || true
    for container in "${containers[@]}"; do buildah rm "$container" >/dev/null 2>&1 || true; done
    rm -rf "$work"
}
trap finish EXIT
fail() { echo "verify_image.sh: $1" >&2; exit 1; }
for tool in buildah debootstrap curl node; do
    command -v $tool >/dev/null || fail "$tool is not here"
done
[ "$(id -u)" = 0 ] || fail "has to run as root: debootstrap makes devices"

add_node() { # ROOT: this machine's Node.js and npm, since Debian's own are older than the web app needs
    local npm
    npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
    install -D "$(readlink -f "$(command -v node)")" "$1/usr/local/bin/node"
    mkdir -p "$1/usr/local/lib/node_modules"
    cp -a "$npm" "$1/usr/local/lib/node_modules/npm"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"
    # What it is linked with besides the C library.
    ldd "$1/usr/local/bin/node" | awk '$3 ~ "^/" {print $3}' | while read -r library; do
        [ -e "$1$library" ] || install -D "$library" "$1$library"
    done
}

import_base() { # IMAGE PACKAGES: a Debian with those packages
    buildah inspect --type image "$1" >/dev/null 2>&1 && return
    echo "== making $1" >&2
    debootstrap --variant=minbase --include="$2" bookworm "$work/root" >"$work/debootstrap.log" 2>&1 \
        || fail "debootstrap failed: $(tail -3 "$work/debootstrap.log")"
    [ "$1" != localhost/$name-node ] || add_node "$work/root"
    # What this machine needs to reach its package registries, the image needs while it is built.
    for file in /etc/pip.conf /etc/npmrc /root/.npmrc /root/.config/pip/pip.conf; do
        [ ! -f "$file" ] || install -D -m 0644 "$file" "$work/root$file"
    done
    [ ! -d /usr/local/share/ca-certificates ] || cp -a /usr/local/share/ca-certificates "$work/root/usr/local/share/"
    cp -L /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/" 2>/dev/null || true
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$work/root" / >/dev/null
    for variable in NODE_EXTRA_CA_CERTS SSL_CERT_FILE PIP_CERT; do
        [ -z "${!variable:-}" ] || buildah config --env "$variable=${!variable}" "$container"
    done
    buildah commit --quiet "$container" "$1" >/dev/null
    buildah rm "$container" >/dev/null
    rm -rf "$work/root"
}

base=${BASE:-localhost/$name-python} node=${NODE_BASE:-localhost/$name-node}
[ -n "${BASE:-}" ] || import_base "$base" python3,python3-venv,ca-certificates
[ -n "${NODE_BASE:-}" ] || import_base "$node" ca-certificates

build() {
    echo "== building Dockerfile.gpu (TORCH_BACKEND=${TORCH_BACKEND:-default})"
    mkdir "$work/src"
    git archive HEAD | tar -x -C "$work/src"
    buildah bud --isolation=chroot --quiet --file "$work/src/Dockerfile.gpu" --tag $name \
        --build-arg PYTHON_IMAGE="$base" --build-arg NODE_IMAGE="$node" \
        --build-arg TORCH_BACKEND="${TORCH_BACKEND:-default}" \
        --label org.opencontainers.image.revision="$(git rev-parse --short HEAD)" \
        "$work/src" > "$work/build.log" 2>&1 \
        || { tail -40 "$work/build.log"; fail "the build failed"; }
}
[ -n "${REUSE:-}" ] || build

container=$(buildah from --name $name-run $name)
containers+=("$container")
root=$(buildah mount "$container")
echo "== looking at the image"
checks=()
check() { # WHAT COMMAND...
    local what=$1
    shift
    "$@" || fail "$what: no"
    checks+=("$what")
    echo "   $what"
}
absent() {
    local tool
    for tool in "$@"; do
        ! find "$root" -xdev -path "*/bin/$tool" -print -quit | grep -q . || return 1
    done
}
inspect() { buildah inspect --format "$1" "$container"; }
check "runs as a user of its own" test "$(inspect '{{.OCIv1.Config.User}}')" = 10001:10001
check "no compiler" absent gcc cc clang
check "no uv, no npm" absent uv npm
check "the web app is in it" test -f "$root/usr/share/pixelmend/web/index.html"
mkdir -p dist
sbom=dist/pixelmend-image.cdx.json
check "has a list of its parts" sh -c "python3 deploy/sbom.py '$root' --lock frontend/package-lock.json > $sbom"
parts=$(python3 -c "import json, sys; print(len(json.load(open(sys.argv[1]))['components']))" $sbom)
check "says what it is" test "$(inspect '{{index .OCIv1.Config.Labels "org.opencontainers.image.title"}}')" = Pixelmend
size_mb=$(du -sm --exclude=proc "$root" | cut -f1)

echo "== starting it, its root read-only but for what the Dockerfile names"
port=18333
mkdir "$work/data" "$work/models" && chown 10001:10001 "$work/data" "$work/models"
setsid buildah run --isolation=chroot --user 10001:10001 --env PIXELMEND_PORT=$port --env PIXELMEND_HOST=127.0.0.1 \
    --env PIXELMEND_DEVICE=cpu --volume "$work/data:/data" --volume "$work/models:/models" "$container" \
    -- pixelmend serve > "$work/serve.log" 2>&1 &
server=$!
for _ in $(seq 120); do
    curl -fs "http://127.0.0.1:$port/readyz" >/dev/null && break
    kill -0 $server 2>/dev/null || { tail -20 "$work/serve.log"; fail "the service ended"; }
    sleep 1
done
url=http://127.0.0.1:$port
check "becomes ready" curl -fs -o "$work/ready" "$url/readyz"
python3 - "$work" <<'PY'
import struct, sys, zlib
from pathlib import Path

def png(path, pixels, width, height):
    rows = b"".join(b"\0" + pixels[y * width * 3:(y + 1) * width * 3] for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

width, height, folder = 120, 80, Path(sys.argv[1])
png(folder / "photo.png", bytes(v for y in range(height) for x in range(width) for v in (x * 2, y * 3, (x ^ y) & 255)), width, height)
png(folder / "mask.png", bytes(255 if 30 < x < 50 and 20 < y < 40 else 0 for y in range(height) for x in range(width) for _ in range(3)), width, height)
PY
check "upscales" curl -fs -F file=@"$work/photo.png" "$url/api/upscale" -D "$work/head" -o "$work/up.png"
check "by the factor of its model" grep -qi "^x-pixelmend-size: 480x320" "$work/head"
check "inpaints" curl -fs -F file=@"$work/photo.png" -F mask=@"$work/mask.png" "$url/api/inpaint" -o "$work/inpainted.png"
upscale_film() {
    buildah run --isolation=chroot "$container" -- python -c '
import sys, tempfile
import av, numpy
with tempfile.NamedTemporaryFile(suffix=".mkv") as file:
    with av.open(file.name, "w") as film:
        stream = film.add_stream("libx264", rate=10, width=64, height=48, pix_fmt="yuv420p")
        for brightness in (50, 150, 250):
            picture = numpy.full((48, 64, 3), brightness, numpy.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        film.mux(stream.encode())
    sys.stdout.buffer.write(file.read())' > "$work/film.mkv"
    local answer id
    answer=$(curl -fs -F task=upscale-video -F scale=2 -F file=@"$work/film.mkv" "$url/api/jobs") || return 1
    id=$(echo "$answer" | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
    curl -fsN --max-time 120 "$url/api/jobs/$id/events" >/dev/null  # it ends with the job
    curl -fs "$url/api/jobs/$id/result" -o "$work/up.mkv" && test -s "$work/up.mkv"
}
check "upscales a film" upscale_film
check "serves the web app" sh -c "curl -fs $url/ | grep -qi '<div id=\"root\"'"
check "passes its own health check" buildah run --isolation=chroot --env PIXELMEND_PORT=$port "$container" -- \
    python -c "$(sed -n 's/^  CMD \["python", "-c", "\(.*\)"\]$/\1/p' Dockerfile.gpu)"
check "writes nothing but where it may" test -z "$(find "$root" -xdev -newer "$work/ready" -type f -not -path "$root/tmp/*" -not -path "$root/proc/*" -print -quit)"

cat > deploy/verified.md <<REPORT
# The last run of \`make verify-image\`

| | |
|---|---|
| commit | $(inspect '{{index .OCIv1.Config.Labels "org.opencontainers.image.revision"}}') |
| date | $(date -u +%F) |
| base | ${BASE:-Debian bookworm by debootstrap, Python $(buildah run --isolation=chroot "$container" -- python -c 'import platform; print(platform.python_version())')} |
| flavour of PyTorch | ${TORCH_BACKEND:-default} |
| tool | $(buildah --version), chroot isolation; no GPU |
| image | $size_mb MB, $parts parts in its SBOM |

What was seen:

$(printf -- '- %s\n' "${checks[@]}")
REPORT
echo "== done; deploy/verified.md has it"
