#!/usr/bin/env bash
# Pixelmend on a Mac with Apple silicon, on its GPU (Metal). One command, from a fresh checkout:
#
#   deploy/macos/run_mac.sh            # http://127.0.0.1:8000
#   HOST=0.0.0.0 PORT=9000 deploy/macos/run_mac.sh
#
# Needs Xcode's command line tools (for make) and Python 3.11 to 3.14; Node.js 20 for the web app.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "run_mac.sh: $1" >&2; exit 1; }
[ "$(uname -s)" = Darwin ] || fail "this is for macOS; elsewhere it is: make run"
command -v make >/dev/null || fail "make is not here; install it with: xcode-select --install"
if [ "$(uname -m)" = arm64 ]; then
    device=mps
elif [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || echo 0)" = 1 ]; then
    fail "this shell runs under Rosetta, where there is no Metal for PyTorch; open a native Terminal"
else
    device=cpu
    echo "run_mac.sh: an Intel Mac: PyTorch has no wheels for it any more, and Metal would not be used" >&2
fi

python=
for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
    if [ -n "$candidate" ] && requirements/python.sh "$candidate" >/dev/null 2>&1 && "$candidate" -c '
import platform, sys
sys.exit(platform.machine() != "'"$(uname -m)"'")' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "Python 3.11 to 3.14 is not here; install it with: brew install python@3.12"

# An operation that Metal lacks is computed on the CPU instead of failing; the service says so in its notes.
export PYTORCH_ENABLE_MPS_FALLBACK=1
export PIXELMEND_DEVICE=${PIXELMEND_DEVICE:-$device}
exec make run PYTHON="$python" HOST="${HOST:-127.0.0.1}" PORT="${PORT:-8000}"
