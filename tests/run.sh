#!/bin/sh
# Installs what the tests need where it may, and runs them all. A test whose program is missing counts as ignored.
set -eu
cd "$(dirname "$0")/.."

missing=""
for pair in docker-registry:docker-registry skopeo:skopeo openssl:openssl strace:strace; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ] && command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo -n"; fi
    echo "installing:$missing"
    # Without the rights to install, the tests still run; those that lack a program say so.
    if $as_root apt-get update -q >/dev/null 2>&1; then
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 ||
            echo "could not install:$missing"
    else
        echo "could not install:$missing"
    fi
fi

cargo test --locked
# As root, with strace, the tests that mount and those that fail single system calls run too.
if [ "$(id -u)" = 0 ] && command -v strace >/dev/null 2>&1 && unshare -m true 2>/dev/null; then
    cargo test --locked --test it -- --ignored
fi
