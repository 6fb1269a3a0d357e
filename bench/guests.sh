#!/usr/bin/env bash
# guests.sh DIR ROUNDS: what plugins cost, in every language, beside expr and
# Extism's Go SDK, and what counting their fuel costs. Needs Go.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 64; }
mkdir -p "$1"
here=$(cd "$(dirname "$0")" && pwd) dir=$(cd "$1" && pwd) rounds=$2
export GOFLAGS=-mod=readonly

go build -C "$here/.." -o "$dir/twinrules" ./cmd/twinrules
go build -C "$here" -o "$dir/" ./cmd/guests
cd "$dir"
[ -d battery ] || ./twinrules plugin new battery --lang go > new.txt
./twinrules plugin build battery
./guests -sdk "$here/../plugins/sdk" -go battery/plugin.wasm -rounds "$rounds"
