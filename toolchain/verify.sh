#!/bin/sh
# Fails when the committed artifact is not what its sources build. With --sources it compares only
# the digest of the sources, which needs no Go and takes no time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
node "$here/compare.js" sources "$here/dist"
[ "${1:-}" = "--sources" ] && exit 0

again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
"$here/build.sh" "$again"
node "$here/compare.js" artifacts "$here/dist" "$again"
