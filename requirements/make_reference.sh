#!/bin/sh
# Makes the environment of the reference implementation (Real-ESRGAN 0.3.0) that tests/parity and the
# benchmarks compare with.
#
#   requirements/make_reference.sh UV DIRECTORY     for example: make_reference.sh .venv/bin/uv .venv-reference
#
# Everything is pinned by hash. An environment that is there already is replaced.
set -eu

uv=$1
target=$2
here=$(cd "$(dirname "$0")" && pwd)

# basicsr's setup.py fails from Python 3.13 on; uv fetches a 3.12 if the machine has nothing older.
"$uv" venv --quiet --clear --no-project --python '>=3.11,<3.13' "$target"
"$uv" pip install --quiet --python "$target" --require-hashes -r "$here/reference.txt"
# setup.py imports torch, so it is built where torch is.
"$uv" pip install --quiet --python "$target" --require-hashes --no-deps --no-build-isolation \
    -r "$here/reference-sources.txt"
