#!/bin/sh
# Starts AWS's own entry point with the compiled steps where they can be written to: numba reads none that it cannot replace.
set -eu
[ -d "$NUMBA_CACHE_DIR" ] || cp -R /opt/wellsentry/numba-cache "$NUMBA_CACHE_DIR"
exec /lambda-entrypoint.sh "$@"
