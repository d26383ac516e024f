#!/bin/sh
# Makes this folder anew, offline: make.sh KEYPACK, with cosign 3, oras, docker-registry and openssl in PATH.
set -eu
keypack=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../lab
work=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
export HOME="$work" XDG_STATE_HOME="$work/state" COSIGN_PASSWORD='' COSIGN_YES=true NO_COLOR=1

collect() {
    to=$1 created=$2
    shift 2
    "$keypack" --no-progress collect "$@" --key "$lab/trust/cosign.pub" --trusted-root "$lab/trust/trusted_root.json" \
        --no-host --no-network --created "$created" -o "$to" > /dev/null
}
collect keys 2024-01-01T00:00:00Z "oci:$lab/layouts/key-bundle-rekor1-cosignsave"
cp -r keys newer
collect newer 2024-02-01T00:00:00Z "oci:$lab/layouts/keyless-bundle-rekor1-cosignsave"
cp -r keys plain
cp -r keys raw

cosign signing-config create --out sc.json 2> /dev/null
cosign generate-key-pair --output-key-prefix org 2> /dev/null
cosign generate-key-pair --output-key-prefix other 2> /dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.pem 2> /dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2> /dev/null
openssl genpkey -algorithm ED25519 -out ed25519.pem
for kind in p384 rsa ed25519; do
    cosign import-key-pair --key "$kind.pem" --output-key-prefix "$kind" 2> /dev/null
done
sign() {
    cosign sign-blob -y --key "$1.key" --signing-config sc.json --bundle "$2" "$3" > /dev/null 2>&1
}
sign org keys/keypack.json.sigstore.json keys/keypack.json
for kind in p384 rsa ed25519; do
    sign "$kind" "keys/keypack.json.$kind.sigstore.json" keys/keypack.json
done
sign org newer/keypack.json.sigstore.json newer/keypack.json

# Bare signatures, as an HSM's owner makes them without cosign.
openssl dgst -sha256 -sign rsa.pem -out raw/keypack.json.rsa.sig raw/keypack.json
openssl dgst -sha256 -sign p384.pem -out raw/keypack.json.p384.sig raw/keypack.json
openssl pkeyutl -sign -rawin -inkey ed25519.pem -in raw/keypack.json -out raw/keypack.json.ed25519.sig

cat > registry.yml <<R
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: 127.0.0.1:5977}
log: {level: error}
R
docker-registry serve registry.yml > registry.log 2>&1 &
server=$!
sleep 2
echo '{"note":"not a signature"}' > pred.json
for form in bundle tag attested; do
    repo=127.0.0.1:5977/pack/$form
    digest=$("$keypack" --no-progress push plain "docker://$repo:v1" --plain-http | sed -n 's/^Digest: //p')
    case $form in
    bundle) cosign sign -y --key org.key --signing-config sc.json --allow-http-registry "$repo@$digest" ;;
    tag) cosign sign -y --key org.key --use-signing-config=false --tlog-upload=false --new-bundle-format=false \
        --allow-http-registry "$repo@$digest" ;;
    attested) cosign attest -y --key org.key --signing-config sc.json --type custom --predicate pred.json \
        --allow-http-registry "$repo@$digest" ;;
    esac > cosign.log 2>&1 || { cat cosign.log; exit 1; }
    oras cp -r --from-plain-http --to-oci-layout "$repo:v1" "signed-$form:v1" > oras.log 2>&1
    if [ $form = tag ]; then
        sig=$(echo "$digest" | tr : -).sig
        oras cp --from-plain-http --to-oci-layout "$repo:$sig" "signed-$form:$sig" >> oras.log 2>&1
    fi
    rm -rf "signed-$form/ingest"
done

for made in keys newer raw signed-bundle signed-tag signed-attested; do
    rm -rf "${here:?}/$made"
    cp -r "$made" "$here/$made"
done
for kind in org other p384 rsa ed25519; do
    cp "$kind.pub" "$here/$kind.pub"
done
