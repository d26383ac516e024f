#!/bin/sh
# Runs oc-mirror v2 over the lab's images, with keypack's steps at every point where they may come: keys pushed before
# the first mirror-to-disk and after it, two rotations in a row (the second pack is shorter), an incremental archive,
# the pack as an additionalImages entry, disk-to-mirror twice, mirror-to-mirror.
#
#   tests/oc-mirror.sh            needs on PATH: oc-mirror (v2), docker-registry, keypack, tar; for images by digest, a
#                                 catalog and a release with its GPG signature also crane, cosign, gpg, python3
#
# Skips (77) if one of them is missing. As root, with setpriv, it continues as TRIAL_UID (default 65534), because as
# root it would not notice files that their owner may not write. A uid above 2097151 makes every archive header PAX,
# as on OpenShift. Everything listens on 127.0.0.1 (oc-mirror's own cache registry on all addresses; that can't be
# changed) and is ended by its process id.
set -eu
for need in oc-mirror docker-registry keypack tar; do
    command -v "$need" >/dev/null || { echo "skipped: $need is not on PATH"; exit 77; }
done
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    uid=${TRIAL_UID:-65534}
    exec setpriv --reuid "$uid" --regid "$uid" --clear-groups env USER=trial HOME=/nonexistent "$0" "$@"
fi
umask 022
lab=$(cd "$(dirname "$0")/../testdata/lab" && pwd)
work=$(mktemp -d)
cd "$work"
pids=
finish() { for pid in $pids; do kill "$pid" 2>/dev/null || :; done; cd /; rm -rf "$work"; }
trap finish EXIT
trap 'exit 1' INT TERM

step() { echo "== $*" >&2; "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# exits CODE COMMAND…: it must exit with this code.
exits() {
    want=$1; shift
    echo "== $* (to end with $want)" >&2
    code=0; "$@" || code=$?
    [ "$code" = "$want" ] || fail "$* ended with $code, not with $want"
}
# hints TEXT COMMAND…: its stderr contains this text.
hints() {
    text=$1; shift
    "$@" 2>said || :
    grep -qF -e "$text" said || { cat said >&2; fail "$* does not say $text"; }
}
digest_of() { sed -n 's/^Pack: //p'; }

# serve NAME: a registry on a free port; prints its address.
serve() {
    mkdir -p "$1"
    cat >"$1.yml" <<YML
version: 0.1
storage: {filesystem: {rootdirectory: $work/$1}, delete: {enabled: true}}
http: {addr: "127.0.0.1:0"}
YML
    docker-registry serve "$1.yml" >"$1.log" 2>&1 &
    pids="$pids $!"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        address=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$1.log" | head -1)
        [ -z "$address" ] || return 0
        sleep 0.5
    done
    fail "the registry $1 did not start"
}
mkdir origin
tar xzf "$lab/registry-storage.tar.gz" -C origin --strip-components=1
serve origin; origin=$address
serve enclave; enclave=$address
serve partly; partly=$address

export HOME="$work/home" XDG_STATE_HOME="$work/state"
mkdir -p "$HOME/.config/containers/registries.d"
printf 'default-docker:\n  use-sigstore-attachments: true\n' >"$HOME/.config/containers/registries.d/default.yaml"
printf '{"default":[{"type":"insecureAcceptAnything"}]}\n' >"$HOME/.config/containers/policy.json"

# Images whose signatures are on .sig tags: the only ones that oc-mirror copies.
images="key-tag-notlog/img1 key-tag-notlog/img2 key-tag-rekor1/img1"
isc() { # FILE IMAGE…
    file=$1; shift
    { printf 'kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\narchiveSize: 1\nmirror:\n  additionalImages:\n'
      for image in "$@"; do printf '    - name: %s/%s\n' "$origin" "$image"; done; } >"$file"
}
tagged() { for image in $images; do printf '%s:v1 ' "$image"; done; }
isc isc.yaml $(tagged)

trust="--trusted-root $lab/trust/trusted_root.json --key $lab/trust/cosign.pub"
common="--v2 --remove-signatures=false --src-tls-verify=false --dest-tls-verify=false --port $((20000 + $$ % 20000))"
m2d() { step oc-mirror $common --cache-dir "$work/cache" -c "$1" "file://$work/out" >>oc-mirror.log; }
d2m() { step oc-mirror $common --cache-dir "$work/enclave-cache" -c "$1" --from "file://$work/in" "docker://$enclave/ns" >>oc-mirror.log; }
carry() { rm -f in/mirror_*.tar; mkdir -p in; cp out/mirror_*.tar in/; }
segments() { ls "$1" | grep -c '^mirror_'; }
# pulls PLACE DIGEST: into its own directory, with its own state: every place must provide the pack.
pulls() {
    rm -rf pulled pulled-state
    step keypack pull "$1" --digest "$2" -o pulled --state pulled-state --plain-http >/dev/null
    [ -f pulled/keypack.json ] || fail "$1 gave no keys"
}

echo "# 1. Keys first: collected at the registry by the image set, pushed before there is any archive"
mkdir out
first=$(step keypack collect "docker://$origin" --plain-http --images isc.yaml $trust -o out/keys | tee /dev/stderr | digest_of)
step keypack push out/keys "oc-mirror:$work/out"
[ "$(find out/working-dir -type f)" = out/working-dir/keypack/keypack.oci.tar ] || fail "push wrote something else"
m2d isc.yaml
cat out/mirror_*.tar | tar -tf - --ignore-zeros | grep -qx working-dir/keypack/keypack.oci.tar || fail "m2d left the pack out"
carry
pulls "oc-mirror:$work/in" "$first"                           # from the segments, before disk to mirror
exits 3 keypack pull "oc-mirror:$work/in" -o nothing          # no anchor
[ ! -e nothing ] || fail "a pull without an anchor wrote"
d2m isc.yaml
d2m isc.yaml                                                  # again: every file is there already
pulls "oc-mirror:$work/in" "$first"
rm in/mirror_*.tar
pulls "oc-mirror:$work/in" "$first"                           # from the restored working-dir
step keypack discover "docker://$enclave/ns" --plain-http $trust | tee discovered >&2
grep -q '3 images: 3 signed' discovered || fail "signatures were lost on the way"

echo "# 2. Keys afterwards: collected from archives and cache, pushed as one more segment; the first rotation"
before=$(segments out)
second=$(step keypack collect "oc-mirror:$work/out" --cache-dir cache $trust --include all | tee /dev/stderr | digest_of)
[ "$first" != "$second" ] || fail "nothing changed"
cksum out/mirror_*.tar >sums
step keypack push out/keys "oc-mirror:$work/out"
[ "$(segments out)" = $((before + 1)) ] || fail "not exactly one more segment"
cksum $(awk '{print $3}' sums) | cmp - sums || fail "a segment was touched"
hints "nothing was written" keypack push out/keys "oc-mirror:$work/out"
carry
pulls "oc-mirror:$work/in" "$second"
d2m isc.yaml
cmp in/working-dir/keypack/keypack.oci.tar out/working-dir/keypack/keypack.oci.tar
rm in/mirror_*.tar
pulls "oc-mirror:$work/in" "$second"

echo "# 3. The second rotation, to a shorter pack, archived by the next mirror to disk; nothing else is new in it"
third=$(step keypack collect "oc-mirror:$work/out" --cache-dir cache $trust --prune | tee /dev/stderr | digest_of)
step keypack push out/keys "oc-mirror:$work/out"
m2d isc.yaml
carry
exits 3 keypack pull "oc-mirror:$work/in" --digest "$second" -o nothing
pulls "oc-mirror:$work/in" "$third"
d2m isc.yaml
rm in/mirror_*.tar
pulls "oc-mirror:$work/in" "$third"                           # the longer one was there before

echo "# 4. An incremental archive: one image more, the blobs of the others in earlier archives"
isc more.yaml $(tagged) key-tag-rekor1/img2:v1
m2d more.yaml
carry
mkdir alone; cp in/mirror_*.tar alone/
hints "--cache-dir" keypack discover "oc-mirror:$work/alone" $trust
fourth=$(step keypack collect "oc-mirror:$work/out" --cache-dir cache $trust --include all | tee /dev/stderr | digest_of)
step keypack push out/keys "oc-mirror:$work/out"
carry
pulls "oc-mirror:$work/in" "$fourth"
d2m more.yaml
pulls "oc-mirror:$work/in" "$fourth"
step keypack discover "oc-mirror:$work/in" --cache-dir enclave-cache $trust | tee discovered >&2
grep -q '4 images: 4 signed' discovered || fail "the enclave's cache has another number of images"

echo "# 5. The pack as an image of the set"
step keypack push out/keys "docker://$origin/keypack/trust:bundle-2026.12" --plain-http
isc pack.yaml $(tagged) keypack/trust:bundle-2026.12
rm -rf out/working-dir/keypack                                # so that nothing else carries it
if m2d pack.yaml; then
    carry
    rm -rf in/working-dir/keypack
    pulls "oc-mirror:$work/in" "$fourth"                      # from the storage in the segments
    d2m pack.yaml
    pulls "oc-mirror:$work/enclave-cache" "$fourth"           # from the cache
    pulls "docker://$enclave/ns/keypack/trust:bundle-2026.12" "$fourth"
else
    echo "this oc-mirror makes no archive with an image that has no signature; see docs/oc-mirror.md" >&2
fi

echo "# 6. Mirror to mirror: nothing in the workspace is an image"
step oc-mirror $common -c isc.yaml --workspace "file://$work/ws" "docker://$partly/ns" >>oc-mirror.log
exits 1 keypack discover "oc-mirror:$work/ws" $trust
hints "docker://HOST/PREFIX" keypack discover "oc-mirror:$work/ws" $trust
step oc-mirror $common -c isc.yaml --workspace "file://$work/ws" --dry-run "docker://$partly/ns" >>oc-mirror.log
step keypack discover "docker://$partly/ns" --plain-http $trust | tee discovered >&2
grep -q '3 images: 3 signed' discovered || fail "signatures were lost on the way"
step keypack discover "docker://$partly" --plain-http --images ws/working-dir/dry-run/mapping.txt $trust

# oc-mirror counts the colons of a name, so an image by digest needs a registry without a port: an alias for one with a port.
for need in crane cosign gpg python3; do
    command -v "$need" >/dev/null || { echo "skipped: images by digest, a catalog and a release, for $need is not on PATH"; exit 77; }
done
cat >registries.conf <<CONF
[[registry]]
prefix = "lab.test"
location = "$origin"
insecure = true
CONF
export CONTAINERS_REGISTRIES_CONF="$work/registries.conf" GNUPGHOME="$work/gnupg" COSIGN_PASSWORD=
by_digest() { echo "lab.test/$1@$(crane digest --insecure "$origin/$1:v1")"; }
# image NAME LABEL FOLDER OF…: an image with one layer, for linux/amd64.
image() {
    name=$1 label=$2 root=$3; shift 3
    tar -cf layer.tar -C "$root" "$@"
    crane append --insecure -f layer.tar -t "$origin/$name" >>crane.log 2>&1
    crane mutate --insecure --label "$label" --set-platform linux/amd64 "$origin/$name" -t "$origin/$name" >>crane.log 2>&1
}

echo "# 7. Images by digest, a catalog, and a release with its GPG signature; of one image only a bundle is there"
mkdir -p catalog/configs/app
cat >catalog/configs/app/catalog.yaml <<YAML
---
schema: olm.package
name: app
defaultChannel: stable
---
schema: olm.channel
package: app
name: stable
entries: [{name: app.v1.0.0}]
---
schema: olm.bundle
name: app.v1.0.0
package: app
image: $(by_digest key-tag-rekor1/img1)
properties: [{type: olm.package, value: {packageName: app, version: 1.0.0}}]
relatedImages:
- {name: bundle, image: "$(by_digest key-tag-rekor1/img1)"}
- {name: operator, image: "$(by_digest key-tag-notlog/img3)"}
YAML
image olm/catalog:v1 operators.operatorframework.io.index.configs.v1=/configs catalog configs

mkdir -p release/release-manifests
cat >release/release-manifests/image-references <<JSON
{"kind":"ImageStream","apiVersion":"image.openshift.io/v1","metadata":{"name":"4.99.0"},"spec":{"tags":[
{"name":"machine-os","from":{"kind":"DockerImage","name":"$(by_digest key-tag-notlog/img4)"}}]}}
JSON
printf '{"kind":"cincinnati-metadata-v0","version":"4.99.0"}' >release/release-manifests/release-metadata
image ocp/release:4.99.0-x86_64 io.openshift.release=4.99.0 release release-manifests
release=$(crane digest --insecure "$origin/ocp/release:4.99.0-x86_64")
cosign generate-key-pair --output-key-prefix release >cosign.log 2>&1
cosign sign -y --key release.key --use-signing-config=false --tlog-upload=false --new-bundle-format=false \
    --allow-http-registry "$origin/ocp/release@$release" >>cosign.log 2>&1

mkdir -m 700 gnupg
gpg --batch -q --passphrase '' --quick-gen-key 'Lab release <release@lab.test>' rsa2048 sign never
gpg --armor --export >release.asc
folder="signatures/sha256=${release#sha256:}"
mkdir -p "$folder"
printf '{"critical":{"image":{"docker-manifest-digest":"%s"},"type":"atomic container signature","identity":{"docker-reference":"lab.test/ocp/release:4.99.0-x86_64"}},"optional":{}}' \
    "$release" | gpg --batch -q --passphrase '' -o "$folder/signature-1" --sign
python3 -u -m http.server 0 --bind 127.0.0.1 --directory signatures >http.log 2>&1 &
pids="$pids $!"
port=
for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' http.log | head -1)
    [ -z "$port" ] || break
    sleep 0.5
done
[ -n "$port" ] || fail "the server of release signatures did not start"
export OCP_SIGNATURE_URL="http://127.0.0.1:$port/" OCP_SIGNATURE_VERIFICATION_PK="$work/release.asc"

cat >all.yaml <<YAML
kind: ImageSetConfiguration
apiVersion: mirror.openshift.io/v2alpha1
mirror:
  platform: {release: "lab.test/ocp/release@$release"}
  operators:
    - catalog: lab.test/olm/catalog:v1
      packages: [{name: app}]
  additionalImages:
    - name: $(by_digest key-tag-notlog/img1)
    - name: $(by_digest key-tag-rekor1/img2)
    - name: $origin/key-bundle-rekor1/img1:v1
YAML
rm -rf out in cache enclave-cache
mkdir out
serve whole; enclave=$address
m2d all.yaml
trust="$trust --key signer=release.pub --key release.asc"
step keypack discover "oc-mirror:$work/out" --cache-dir cache $trust | tee discovered >&2
grep -q '9 images: 6 signed, 3 unsigned\. 4 keys needed: 4 at hand' discovered || fail "not all of the set is read from the archive"
grep -q '^key-tag-notlog/img1@sha256:[0-9a-f]*…  simple-signing: signer have$' discovered || fail "an image by digest is not one"
grep -q '^openshift/release-images:4\.99\.0-x86_64 .*openpgp: gpg have$' discovered || fail "the GPG signature of the release does not verify"
# The bundle was not mirrored, and the source of its image shows that.
hints "whatever its flags: $origin/key-bundle-rekor1/img1:v1;" \
    keypack discover "oc-mirror:$work/out" --cache-dir cache --images all.yaml --plain-http --retry-times 0 $trust
whole=$(step keypack collect "oc-mirror:$work/out" --cache-dir cache $trust | tee /dev/stderr | digest_of)
ls out/keys/gpg-*.asc >/dev/null || fail "the key of the release is not in the pack"
step keypack push out/keys "oc-mirror:$work/out"
carry
pulls "oc-mirror:$work/in" "$whole"
d2m all.yaml
pulls "oc-mirror:$work/in" "$whole"
step keypack discover "docker://$enclave/ns" --plain-http $trust | tee discovered >&2
grep -q '8 images: 6 signed, 2 unsigned' discovered || fail "signatures were lost on the way"
exits 0 keypack verify "docker://$enclave/ns" --plain-http --keys-dir pulled --state pulled-state >&2
echo "all steps done"
