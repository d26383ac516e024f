#!/bin/sh
# The whole story on real content of this repository, offline: images signed by cosign with a private sigstore.
# KEYPACK names the program; without it, it is built.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${KEYPACK:-}" ]; then
    # cargo shows how far it is: the first build takes a minute or more.
    cargo build --locked --manifest-path "$root/Cargo.toml"
    KEYPACK=${CARGO_TARGET_DIR:-$root/target}/debug/keypack
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp -r "$root/testdata/lab/layouts/keyless-bundle-rekor2-oras" mirror
cp "$root/testdata/lab/trust/trusted_root.json" "$root/testdata/lab/trust/cosign.pub" .
chmod -R u+w .
tar -cf mirror.tar -C mirror oci-layout index.json blobs
mkdir enclave

# The host's own state is left alone.
XDG_STATE_HOME=$work/state
NO_COLOR=1
export XDG_STATE_HOME NO_COLOR

# What a terminal shows in the end: the lines of steps are gone then.
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
echo "# the keys of the signing infrastructure are at hand: prove them, write keys/"
run keypack collect oci:mirror --trusted-root trusted_root.json -o keys
echo "# carry them in the archive that carries the images"
run keypack push keys oci-archive:mirror.tar:keys-2026-11
digest=$("$KEYPACK" inspect keys | sed -n 's/^Pack: //p')
echo "# disconnected side: nothing is believed without an anchor"
run keypack pull oci-archive:mirror.tar:keys-2026-11 -o enclave/keys
echo "# the pack digest came on paper"
run keypack pull oci-archive:mirror.tar:keys-2026-11 --digest "$digest" -o enclave/keys
echo "# are the images signed by whom they should be? only these keys count"
run keypack verify oci:mirror --keys-dir enclave/keys --certificate-identity https://ci.test/build.yml@main --certificate-oidc-issuer https://issuer.test
cd enclave/keys
run sha256sum -c SHA256SUMS
