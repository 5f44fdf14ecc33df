#!/usr/bin/env bash
# Builds the k6 that the tests run scripts in, once for each set of versions, and prints where it is:
# a folder with `k6`, which has the official Redis extension as k6 itself provides it, and `k6-stock`,
# which has no extension. Nothing of anykv is compiled into either.
#
#   scripts/k6-binary.sh          builds what is missing; needs Go and the module proxy
#   scripts/k6-binary.sh --path   prints the folder, built or not
#
# Environment: ANYKV_K6_CACHE is the folder of all builds, by default anykv-k6 in the user's cache.

set -euo pipefail

k6_version=v2.2.0
redis_version=v0.3.6
# Rises when this script builds otherwise.
recipe=1

cache=${ANYKV_K6_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/anykv-k6}
place=$cache/k6-$k6_version-redis-$redis_version-$recipe-$(uname -s)-$(uname -m)

if [[ ${1:-} == --path || (-x $place/k6 && -x $place/k6-stock) ]]; then
  printf '%s\n' "$place"
  exit
fi
command -v go > /dev/null || {
  printf 'k6 cannot be built: there is no Go\n' >&2
  exit 1
}

mkdir -p "$cache"
# In the cache, so that the result can be renamed into its place.
work=$(mktemp -d "$cache/build-XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
# Folders of modules can be removed like any others, should they lie in a scratch directory. The cache
# may lie in a repository that does not matter here.
export GOFLAGS="-mod=mod -modcacherw -buildvcs=false" GOWORK=off
# Without a home Go has no place for what it fetches and compiles.
[[ -n ${HOME:-} ]] || export GOPATH=${GOPATH:-$work/go} GOCACHE=${GOCACHE:-$work/go-build}
quietly() {
  "$@" > "$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
  }
}

# The releases of the extension are written for k6 v1, whose modules have another path. It is given
# the path of v2, which is all that its move to v2 has changed.
fetched=$work/fetched.json
go mod download -json "github.com/grafana/xk6-redis@$redis_version" > "$fetched" || {
  cat "$fetched" >&2
  exit 1
}
source=$(sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p' "$fetched")
mkdir -p "$work/k6/extension" "$work/stock"
cp -R "$source/register.go" "$source/redis" "$work/k6/extension/"
chmod -R u+w "$work/k6/extension"
rm -f "$work"/k6/extension/redis/*_test.go
sed -i.former 's#"go\.k6\.io/k6/\([a-z]\)#"go.k6.io/k6/v2/\1#' \
  "$work/k6/extension/register.go" "$work"/k6/extension/redis/*.go
find "$work/k6/extension" -name '*.former' -delete
printf 'module github.com/grafana/xk6-redis\n\ngo 1.25.0\n' > "$work/k6/extension/go.mod"
redis_client=$(sed -n 's#^[[:space:]]*\(github.com/redis/go-redis/v9 v[^ ]*\).*#\1#p' "$source/go.mod")

main() {
  printf 'package main\n\nimport (\n\t"go.k6.io/k6/v2/cmd"\n%s)\n\nfunc main() { cmd.Execute() }\n' "$1"
}
main $'\n\t_ "github.com/grafana/xk6-redis"\n' > "$work/k6/main.go"
main '' > "$work/stock/main.go"
require="require go.k6.io/k6/v2 $k6_version"
printf 'module anykv-k6\n\ngo 1.25.0\n\n%s\n' "$require" > "$work/stock/go.mod"
{
  cat "$work/stock/go.mod"
  printf 'require github.com/grafana/xk6-redis %s\nrequire %s\n' "$redis_version" "$redis_client"
  printf 'replace github.com/grafana/xk6-redis => ./extension\n'
} > "$work/k6/go.mod"

quietly nice go build -C "$work/k6" -trimpath -o "$work/result/k6" .
quietly nice go build -C "$work/stock" -trimpath -o "$work/result/k6-stock" .
rm -rf "$place"
mv "$work/result" "$place"
printf '%s\n' "$place"
