#!/usr/bin/env bash
# race.sh DIR DEVICES RULES ROUNDS: twinrules against every other engine that is
# here, on a fleet made up in DIR, which stays there. Ends non-zero when engines
# disagree. Needs Go; jq, node and @duckdb/node-api (npm i in DIR) join when they
# are there.
set -euo pipefail
[ $# -eq 4 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 64; }
mkdir -p "$1"
here=$(cd "$(dirname "$0")" && pwd) dir=$(cd "$1" && pwd) devices=$2 rules=$3 rounds=$4
export GOFLAGS=-mod=readonly

go build -C "$here/.." -o "$dir/twinrules" ./cmd/twinrules
go build -C "$here" -o "$dir/" ./cmd/...
cd "$dir"
fleet=fleet-$devices.ndjson
[ -s "$fleet.zst" ] || ./fleet -n "$devices" "$fleet" "$fleet.zst"
./pack -rules "$rules" "rules-$rules"
./race -dir "$dir" -programs "$here/programs" -fleet "$fleet" -rules "$rules" -rounds "$rounds" -only "${ONLY:-}"
