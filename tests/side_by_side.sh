#!/usr/bin/env bash
# side_by_side.sh 'BESIDE' COMMAND...: run COMMAND and, beside it, the line of shell BESIDE, whose output is printed
# once both have ended. Fails if one of them does.
set -uo pipefail
beside=$1
shift
said=$(mktemp)
set -m  # a process group of its own, to end all of it
bash -c "$beside" > "$said" 2>&1 &
group=$!
set +m
trap 'kill -- "-$group" 2> /dev/null; rm -f "$said"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$@"
status=$?
wait "$group"
status_beside=$?
cat "$said"
[ "$status_beside" = 0 ] || echo "failed with status $status_beside: $beside" >&2
[ "$status" = 0 ] || echo "failed with status $status: $*" >&2
[ "$status$status_beside" = 00 ]
