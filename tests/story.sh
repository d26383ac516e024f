#!/bin/sh
# The whole story on real content of this repository, offline: an image that cosign signed with a key.
# KEYPACK names the program; without it, it is built.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${KEYPACK:-}" ]; then
    # cargo shows its progress: the first build takes a minute or more.
    cargo build --locked --manifest-path "$root/Cargo.toml"
    KEYPACK=${CARGO_TARGET_DIR:-$root/target}/debug/keypack
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp -r "$root/testdata/lab/layouts/key-bundle-notlog-oras" mirror
cp "$root/testdata/lab/trust/cosign.pub" .
chmod -R u+w .
tar -cf mirror.tar -C mirror oci-layout index.json blobs
mkdir enclave

# The host's own state is not touched.
XDG_STATE_HOME=$work/state
NO_COLOR=1
export XDG_STATE_HOME NO_COLOR

# What a terminal shows at the end, when the progress lines are gone.
keypack() { "$KEYPACK" --no-progress "$@" 2>&1; }
run() {
    echo "$ $*"
    code=0
    "$@" || code=$?
    [ "$code" = 0 ] || echo "[exit code $code]"
    echo
}

echo "# connected side: which keys do the mirrored images need?"
run keypack discover oci:mirror
echo "# its publisher gave the key: prove that it fits, write keys/"
run keypack collect oci:mirror --key cosign.pub --given-by publisher -o keys
echo "# carry them in the archive that carries the images"
run keypack push keys oci-archive:mirror.tar:keys-2026-11
digest=$("$KEYPACK" inspect keys | sed -n 's/^Pack: //p')
echo "# disconnected side: nothing is believed without an anchor"
echo "$ keypack pull oci-archive:mirror.tar:keys-2026-11 -o enclave/keys >/dev/null"
"$KEYPACK" --no-progress pull oci-archive:mirror.tar:keys-2026-11 -o enclave/keys 2>&1 >/dev/null || echo "[exit code $?]"
echo
echo "# the pack digest came out of band, on paper"
run keypack pull oci-archive:mirror.tar:keys-2026-11 --digest "$digest" -o enclave/keys
echo "# are the images signed by whom they should be? only these keys count"
echo "$ keypack verify oci:mirror --keys-dir enclave/keys | tail -n 2"
keypack verify oci:mirror --keys-dir enclave/keys | tail -n 2
