#!/usr/bin/env bash
# As deploy/macos/run_mac.sh: Pixelmend on a Mac, on its GPU.
exec bash "$(dirname "$0")/../deploy/macos/run_mac.sh" "$@"
