#!/bin/sh
# Installs what the tests need, if it may, and runs them all. A test whose program or content is missing counts as
# ignored. KEYPACK_NO_INSTALL=1: install nothing.
set -eu
cd "$(dirname "$0")/.."

missing=""
for program in docker-registry skopeo openssl strace; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
if [ -n "$missing" ] && [ -z "${KEYPACK_NO_INSTALL:-}" ] && command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo -n"; fi
    echo "Installing the Debian packages$missing; KEYPACK_NO_INSTALL=1 skips this."
    case "$missing" in
    *docker-registry*) echo "docker-registry brings a service, which is left neither running nor enabled." ;;
    esac
    # A masked unit can be neither started nor enabled by its package; without systemd there is none.
    mask() { command -v systemctl >/dev/null 2>&1 && $as_root systemctl "$@" docker-registry.service >/dev/null 2>&1 || :; }
    case "$missing" in *docker-registry*) mask mask ;; esac
    # Without the right to install, the tests still run; those that lack a program say so.
    if ! { $as_root apt-get update -q >/dev/null 2>&1 &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1; }; then
        echo "Could not install them: the tests that need them count as ignored."
    fi
    case "$missing" in
    *docker-registry*)
        mask unmask
        mask disable
        # With another init, the package starts its script and links it into the runlevels.
        if [ ! -d /run/systemd/system ]; then
            $as_root service docker-registry stop >/dev/null 2>&1 || :
            $as_root update-rc.d docker-registry disable >/dev/null 2>&1 || :
        fi
        ;;
    esac
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# run ARGUMENTS…: cargo test, with its output shown live; its exit status counts, not tee's.
status=0
run() {
    { cargo test --locked "$@" 2>&1 || echo "$?" > "$log.status"; } | tee -a "$log"
    if [ -f "$log.status" ]; then
        status=1
        rm -f "$log.status"
    fi
}
run --no-fail-fast
# As root, with strace, the tests that mount and those that inject faults into system calls run too.
if [ "$(id -u)" = 0 ] && command -v strace >/dev/null 2>&1 && unshare -m true 2>/dev/null; then
    echo "the ignored ones" >> "$log"
    run --test it -- --ignored
fi

awk '
    /^the ignored ones$/ { second = 1 }
    /^test result:/ {
        for (i = 1; i < NF; i++) {
            if ($(i + 1) == "passed;") { passed += $i; if (second) ignored -= $i }
            if ($(i + 1) == "failed;") { failed += $i; if (second) ignored -= $i }
            if ($(i + 1) == "ignored;" && !second) ignored += $i
        }
    }
    END {
        if (ignored > 0) {
            print ""
            print "Ignored tests need one of these: root with strace and mount namespaces; docker-registry in PATH; cosign, oras,"
            print "crane, skopeo and umoci in PATH; the real signed images, which are not part of this repository. Each one says"
            print "which when it is run alone."
        }
        printf "%d passed, %d failed, %d skipped\n", passed, failed, ignored
    }
' "$log"
exit "$status"
