#!/bin/sh
# python.sh [PYTHON]: prints the Python that is named if the pinned packages are for it, else says why not and ends
# with 1. If none is named, the first one here that they are for: a system's own python3 may be too old or too new.
set -eu
oldest="3, 11" newest="3, 14"

fits() {
  command -v "$1" >/dev/null && "$1" -c "import sys; sys.exit(not ($oldest) <= sys.version_info[:2] <= ($newest))" 2>/dev/null
}

named=${1:-}
if [ -n "$named" ]; then set -- "$named"; else set -- python3 python3.14 python3.13 python3.12 python3.11; fi
for candidate; do
  if fits "$candidate"; then
    echo "$candidate"
    exit 0
  fi
done
found=$("$1" --version 2>&1) || found="not here"
echo "Pixelmend needs Python 3.11 to 3.14, and $1 is ${found#Python }; name another, as in PYTHON=python3.12" >&2
exit 1
