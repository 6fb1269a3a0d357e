#!/usr/bin/env bash
# memory.sh DIR: how much memory plan and diff take at the most for 10 thousand,
# 100 thousand and a million devices, made up in DIR, which stays (3.2 GB). Ends
# non-zero when the million takes 16 MiB more than the ten thousand. Needs Go and
# Linux.
set -euo pipefail
[ $# -eq 1 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 64; }
mkdir -p "$1"
here=$(cd "$(dirname "$0")" && pwd) dir=$(cd "$1" && pwd)
export GOFLAGS=-mod=readonly

go build -C "$here/.." -o "$dir/twinrules" ./cmd/twinrules
go build -C "$here" -o "$dir/" ./cmd/fleet ./cmd/pack ./cmd/peak
cd "$dir"
fleets=()
for devices in 10000 100000 1000000; do
	fleet=fleet-$devices.ndjson
	[ -s "$fleet" ] || ./fleet -n "$devices" "$fleet"
	fleets+=("$fleet")
done
fleets=$(IFS=,; echo "${fleets[*]}")
for rules in 10 11; do
	./pack -rules "$rules" "rules-$rules"
done
./peak -fleets "$fleets" plan rules-10 --out plan.twp
./peak -fleets "$fleets" diff rules-11 --base-dir rules-10
