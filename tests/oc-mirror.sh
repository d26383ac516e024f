#!/bin/sh
# Runs the real oc-mirror v2 over the lab's images: m2d, carry, d2m and m2m, with the keys pushed before and after m2d
# and as an additionalImages entry, twice in a row. Needs on PATH: oc-mirror (v2), docker-registry, keypack, tar.
# Skips (77) where one of them is missing. Everything listens on 127.0.0.1 and is ended by its process id.
set -eu
for need in oc-mirror docker-registry keypack tar; do
    command -v "$need" >/dev/null || { echo "skipped: $need is not on PATH"; exit 77; }
done
lab=$(cd "$(dirname "$0")/../testdata/lab" && pwd)
work=$(mktemp -d)
pids=
finish() { for pid in $pids; do kill "$pid" 2>/dev/null || :; done; rm -rf "$work"; }
trap finish EXIT INT TERM

serve() { # NAME PORT
    mkdir -p "$work/$1"
    cat >"$work/$1.yml" <<YML
version: 0.1
storage: {filesystem: {rootdirectory: $work/$1}, delete: {enabled: true}}
http: {addr: 127.0.0.1:$2}
YML
    docker-registry serve "$work/$1.yml" >"$work/$1.log" 2>&1 &
    pids="$pids $!"
}
mkdir "$work/origin"
tar xzf "$lab/registry-storage.tar.gz" -C "$work/origin" --strip-components=1
serve origin 5601
serve enclave 5602
serve partly 5603
sleep 2

export HOME="$work/home" XDG_STATE_HOME="$work/state"
mkdir -p "$HOME/.config/containers/registries.d"
for registry in 127.0.0.1:5601 127.0.0.1:5602 127.0.0.1:5603; do
    printf 'docker:\n  %s:\n    use-sigstore-attachments: true\n' "$registry" \
        >"$HOME/.config/containers/registries.d/${registry##*:}.yaml"
done
printf '{"default":[{"type":"insecureAcceptAnything"}]}\n' >"$HOME/.config/containers/policy.json"

step() { echo "== $*"; "$@"; }
digest_of() { sed -n 's/^Pack: //p'; }
# Three formats whose signatures lie on .sig tags: all that oc-mirror copies.
images=$(keypack discover docker://127.0.0.1:5601 --plain-http --format json --optional 2>/dev/null |
    tr ',{' '\n\n' | sed -n 's/.*"repository": *"\([^"]*tag[^"]*\)".*/\1/p' | sort -u | head -3)
isc() { # FILE [MORE]
    { printf 'kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  additionalImages:\n'
      for image in $images; do
          tag=$(ls "$work/origin/docker/registry/v2/repositories/$image/_manifests/tags" | grep -v '^sha256-' | head -1)
          printf '    - name: 127.0.0.1:5601/%s:%s\n' "$image" "$tag"
      done
      [ $# -lt 2 ] || printf '    - name: %s\n' "$2"; } >"$1"
}
trust="--trusted-root $lab/trust/trusted_root.json --key $lab/trust/cosign.pub"
mirror="--v2 --remove-signatures=false --src-tls-verify=false --dest-tls-verify=false --cache-dir $work/cache"

isc "$work/isc.yaml"
step oc-mirror $mirror -c "$work/isc.yaml" "file://$work/out"
pack=$(step keypack collect "oc-mirror:$work/out" --cache-dir "$work/cache" $trust --created 2026-11-01T00:00:00Z | tee /dev/stderr | digest_of)
step keypack push "$work/out/keys" "oc-mirror:$work/out"

# After m2d: carried as one more segment.
mkdir "$work/in"; cp "$work"/out/mirror_*.tar "$work/in/"
step keypack pull "oc-mirror:$work/in" --digest "$pack"
step oc-mirror $mirror --cache-dir "$work/enclave-cache" -c "$work/isc.yaml" --from "file://$work/in" docker://127.0.0.1:5602/ns
cmp "$work/in/working-dir/keypack/keypack.oci.tar" "$work/out/working-dir/keypack/keypack.oci.tar"

# Before the next m2d, which archives the working-dir; the second rotation.
next=$(step keypack collect "oc-mirror:$work/out" --cache-dir "$work/cache" $trust --created 2026-12-01T00:00:00Z --include all | tee /dev/stderr | digest_of)
step keypack push "$work/out/keys" "oc-mirror:$work/out"
step oc-mirror $mirror -c "$work/isc.yaml" "file://$work/out"
rm "$work"/in/mirror_*.tar; cp "$work"/out/mirror_*.tar "$work/in/"
step keypack pull "oc-mirror:$work/in" --digest "$next"
step oc-mirror $mirror --cache-dir "$work/enclave-cache" -c "$work/isc.yaml" --from "file://$work/in" docker://127.0.0.1:5602/ns
rm "$work"/in/mirror_*.tar
step keypack pull "oc-mirror:$work/in" --digest "$next"

# The pack as an image of the set.
step keypack push "$work/out/keys" docker://127.0.0.1:5601/keypack/trust:bundle-2026.12 --plain-http
isc "$work/isc-pack.yaml" 127.0.0.1:5601/keypack/trust:bundle-2026.12
step oc-mirror $mirror -c "$work/isc-pack.yaml" "file://$work/out"
mkdir "$work/in2"; cp "$work"/out/mirror_*.tar "$work/in2/"
step oc-mirror $mirror --cache-dir "$work/cache-in2" -c "$work/isc-pack.yaml" --from "file://$work/in2" docker://127.0.0.1:5602/ns
step keypack pull docker://127.0.0.1:5602/ns/keypack/trust:bundle-2026.12 --plain-http --digest "$next" -o "$work/from-registry"

# Mirror to mirror: nothing in the workspace is an image.
step oc-mirror $mirror -c "$work/isc.yaml" --workspace "file://$work/ws" docker://127.0.0.1:5603/ns
code=0; keypack discover "oc-mirror:$work/ws" $trust || code=$?
[ "$code" = 1 ] || { echo "a workspace gave $code, not 1"; exit 1; }
step keypack discover docker://127.0.0.1:5603/ns --plain-http $trust
echo "all steps done"
