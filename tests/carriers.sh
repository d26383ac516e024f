#!/bin/sh
# What carries a pack: keypack pushes both forms to a registry and to a layout, other tools carry them, keypack pulls
# the result by its pack digest, and keys/ must be the same. The programs are taken from PATH; a missing one is
# reported. A row with an unexpected result makes the exit code 1. KEYPACK names the program; without it, it is built.
# REGISTRY names the registry's program (such as distribution 3), SKOPEO and PODMAN may name several. docs/carriers.md
# is the output of this script.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${KEYPACK:-}" ]; then
    cargo build --locked --quiet --manifest-path "$root/Cargo.toml"
    KEYPACK=${CARGO_TARGET_DIR:-$root/target}/debug/keypack
fi
: "${REGISTRY:=docker-registry}"
if ! command -v "$REGISTRY" >/dev/null 2>&1; then
    echo "docker-registry is missing (apt-get install docker-registry): nothing was measured" >&2
    exit 1
fi

work=$(mktemp -d)
registry=
trap '[ -z "$registry" ] || kill "$registry" 2>/dev/null || :; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
mkdir home storage
HOME=$work/home XDG_STATE_HOME=$work/state NO_COLOR=1 SOURCE_DATE_EPOCH=1795363200
export HOME XDG_STATE_HOME NO_COLOR SOURCE_DATE_EPOCH
mkdir -p home/.config/containers
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >home/.config/containers/policy.json # podman wants one
unset REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_RUNTIME_DIR 2>/dev/null || :

# A registry on a port that the system chooses; its log says which one.
cat >registry.yml <<END
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $work/storage}}
http: {addr: 127.0.0.1:0, secret: test}
END
OTEL_TRACES_EXPORTER=none "$REGISTRY" serve registry.yml >registry.log 2>&1 &
registry=$!
host=
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    host=$(sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' registry.log | head -n 1)
    [ -z "$host" ] || break
    sleep 0.5
done
[ -n "$host" ] || { cat registry.log >&2; exit 1; }
repo=$host/packs/trust

lab=$root/testdata/lab
"$KEYPACK" collect "$lab/layouts/key-bundle-rekor1-oras" "$lab/layouts/keyless-bundle-rekor2-oras" -o keys \
    --trusted-root "$lab/trust/trusted_root.json" --key "$lab/trust/cosign.pub" >collect.log 2>&1
pack=$(sed -n 's/^Pack: //p' collect.log)
[ -n "$pack" ] || { cat collect.log >&2; exit 1; }

failed=0
have() { command -v "$1" >/dev/null 2>&1; }

# Prints one line of the table. Arguments: tool, form, path, expected (ok or a code), result.
line() {
    mark=
    if [ "$4" != "$5" ]; then
        mark=" (expected $4)"
        failed=1
    fi
    printf '| %s | %s | %s | %s |\n' "$1" "$2" "$3" "$5$mark"
}

# Carries and pulls. Arguments: tool, form, path, expected, place, the tool's command.
row() {
    tool=$1 form=$2 path=$3 expected=$4 place=$5
    shift 5
    rm -rf out
    if ! (cd "$work" && "$@") >carrier.log 2>&1; then
        result="not carried"
        [ "$expected" = "$result" ] || tail -n 3 carrier.log >&2
    elif "$KEYPACK" pull "$place" --digest "$pack" --plain-http -o out >pull.log 2>&1; then
        if diff -r keys out >diff.log 2>&1; then result=ok; else result="lost: keys/ differs"; fi
    else
        result=$(sed -n 's/.*error: .*\[\([a-z0-9-]*\)\]$/refused (\1)/p' pull.log | head -n 1)
        [ "$expected" = "$result" ] || tail -n 2 pull.log >&2
    fi
    line "$tool" "$form" "$path" "$expected" "$result"
}

# Files that a tool wrote without a manifest: they are the keys/ themselves. Arguments as for row.
files() {
    tool=$1 form=$2 path=$3 place=$4
    shift 4
    if ! (cd "$work" && "$@") >carrier.log 2>&1; then
        result="not carried"
        tail -n 3 carrier.log >&2
    elif diff -r keys "$place" >diff.log 2>&1; then
        result=ok
    else
        result="lost: keys/ differs"
    fi
    line "$tool" "$form" "$path" ok "$result"
}

echo "| program | version |"
echo "|---|---|"
version() { printf '| %s | %s |\n' "$1" "$2"; }
version keypack "$("$KEYPACK" --version | head -n 1)"
version registry "$("$REGISTRY" --version | awk '{print $NF}') (${REGISTRY##*/})"
skopeos=
for candidate in ${SKOPEO:-$(command -v skopeo || :)} /usr/bin/skopeo; do
    if [ -x "$candidate" ]; then
        number=$("$candidate" --version | awk '{print $3}')
        case " $skopeos " in *"=$number "*) continue ;; esac
        skopeos="$skopeos $candidate=$number"
        version skopeo "$number"
    fi
done
[ -n "$skopeos" ] || version skopeo "missing: not measured"
podmans=
for candidate in ${PODMAN:-$(command -v podman || :)}; do
    number=$("$candidate" --version | awk '{print $3}')
    podmans="$podmans $candidate=$number"
    version podman "$number"
done
[ -n "$podmans" ] || version podman "missing: not measured"
for tool in oras crane cosign umoci regctl; do
    if have $tool; then
        case $tool in
            oras) number=$(oras version | awk '/^Version/{print $2}') ;;
            umoci) number=$(umoci --version | awk 'NR == 1 {print $3}') ;;
            cosign) number=$(cosign version 2>&1 | awk '/^GitVersion/{print $2}') ;;
            regctl) number=$(regctl version | awk '/^VCSTag/{print $2}') ;;
            crane) number=$(crane version 2>/dev/null | grep '^[v0-9]' || :) ;;
        esac
        version $tool "${number:-a build that does not say its version}"
    else
        version $tool "missing: not measured"
    fi
done
echo
echo "| carrier | form | path | result |"
echo "|---|---|---|---|"

for form in image artifact; do
    tag=$form
    source=docker://$repo:$tag
    "$KEYPACK" push keys "$source" --as $form --plain-http >push.log 2>&1 || { cat push.log >&2; exit 1; }
    "$KEYPACK" push keys "oci:own-$form:$tag" --as $form >push.log 2>&1
    row keypack $form "registry → keys/" ok "$source" true
    row keypack $form "layout → keys/" ok "oci:own-$form:$tag" true
    "$KEYPACK" push keys "oci-archive:own-$form.tar:$tag" --as $form >push.log 2>&1
    row keypack $form "oci-archive → keys/" ok "oci-archive:own-$form.tar:$tag" true

    if have oras; then
        row oras $form "registry → layout (cp)" ok "oci:oras-$form:$tag" \
            oras cp --from-plain-http "$repo:$tag" --to-oci-layout "oras-$form:$tag"
        row oras $form "layout → registry (cp)" ok "docker://$host/oras/$form:$tag" \
            oras cp --from-oci-layout "own-$form:$tag" --to-plain-http "$host/oras/$form:$tag"
        row oras $form "registry → registry (cp)" ok "docker://$host/oras/again-$form:$tag" \
            oras cp --from-plain-http "$repo:$tag" --to-plain-http "$host/oras/again-$form:$tag"
        row oras $form "registry → layout → registry (backup, restore)" ok "docker://$host/oras/restored-$form:$tag" \
            sh -c "oras backup --plain-http -o backup-$form $repo:$tag && \
                   oras restore --plain-http --input backup-$form $host/oras/restored-$form:$tag"
        place=pulled-$form
        [ $form = artifact ] || place=pulled-$form/keys
        files oras $form "registry → files (pull)" "$place" oras pull --plain-http "$repo:$tag" -o "pulled-$form"
    fi

    for entry in $skopeos; do
        skopeo=${entry%%=*} name="skopeo ${entry#*=}"
        n=${entry#*=}
        copy="$skopeo --insecure-policy copy --quiet --src-tls-verify=false --dest-tls-verify=false"
        row "$name" $form "registry → oci" ok "oci:s$n-$form:$tag" $copy "$source" "oci:s$n-$form:$tag"
        row "$name" $form "registry → oci-archive" ok "oci-archive:s$n-$form.tar:$tag" \
            $copy "$source" "oci-archive:s$n-$form.tar:$tag"
        row "$name" $form "registry → dir" ok "dir:s$n-$form-dir" $copy "$source" "dir:s$n-$form-dir"
        row "$name" $form "dir → registry" ok "docker://$host/s$n/$form:$tag" \
            $copy "dir:s$n-$form-dir" "docker://$host/s$n/$form:$tag"
        row "$name" $form "layout → registry" ok "docker://$host/s$n/l-$form:$tag" \
            $copy "oci:own-$form:$tag" "docker://$host/s$n/l-$form:$tag"
        row "$name" $form "registry → dir (sync)" ok "dir:s$n-$form-sync/trust:$tag" \
            "$skopeo" --insecure-policy sync --src-tls-verify=false --src docker --dest dir "$repo:$tag" "s$n-$form-sync"
        # Commands that rewrite an image do not apply to an artifact: tools refuse it, or carry it unchanged.
        if [ $form = image ]; then
            row "$name" $form "registry → registry (--format v2s2)" ok "docker://$host/s$n/v2s2:$tag" \
                $copy --format v2s2 "$source" "docker://$host/s$n/v2s2:$tag"
            row "$name" $form "registry → dir (--format v2s2)" ok "dir:s$n-v2s2-dir" \
                $copy --format v2s2 "$source" "dir:s$n-v2s2-dir"
            if "$skopeo" copy --help | grep -q dest-force-compress-format; then
                row "$name" $form "registry → registry (zstd)" ok "docker://$host/s$n/zstd:$tag" $copy \
                    --dest-compress-format zstd --dest-force-compress-format "$source" "docker://$host/s$n/zstd:$tag"
            else
                # Older versions compress only what is not yet compressed.
                row "$name" $form "plain dir → registry (zstd)" ok "docker://$host/s$n/zstd:$tag" sh -c \
                    "$copy --dest-decompress $source dir:s$n-zstd && \
                     $copy --dest-compress-format zstd dir:s$n-zstd docker://$host/s$n/zstd:$tag"
            fi
            row "$name" $form "registry → dir (--dest-decompress)" ok "dir:s$n-plain-dir" \
                $copy --dest-decompress "$source" "dir:s$n-plain-dir"
        fi
    done

    if have crane; then
        row crane $form "registry → registry (copy)" ok "docker://$host/crane/$form:$tag" \
            crane copy --insecure "$repo:$tag" "$host/crane/$form:$tag"
        row crane $form "registry → layout (pull --format=oci)" ok "oci:crane-$form" \
            crane pull --insecure --format=oci "$repo:$tag" "crane-$form"
        row crane $form "layout → registry (push)" ok "docker://$host/crane/l-$form:$tag" \
            crane push --insecure "crane-$form" "$host/crane/l-$form:$tag"
    fi
    if have regctl; then
        regctl registry set --tls disabled "$host" >/dev/null
        row regctl $form "registry → layout (image copy)" ok "oci:regctl-$form:$tag" \
            regctl image copy "$repo:$tag" "ocidir://regctl-$form:$tag"
        row regctl $form "layout → registry (image copy)" ok "docker://$host/regctl/$form:$tag" \
            regctl image copy "ocidir://own-$form:$tag" "$host/regctl/$form:$tag"
        row regctl $form "registry → registry (image copy)" ok "docker://$host/regctl/c-$form:$tag" \
            regctl image copy "$repo:$tag" "$host/regctl/c-$form:$tag"
        row regctl $form "registry → oci-archive (image export)" ok "oci-archive:regctl-$form.tar" \
            regctl image export "$repo:$tag" "regctl-$form.tar"
        row regctl $form "oci-archive → registry (image import)" ok "docker://$host/regctl/i-$form:$tag" \
            regctl image import "$host/regctl/i-$form:$tag" "own-$form.tar"
        if [ $form = artifact ]; then
            mkdir regctl-files
            files regctl $form "registry → files (artifact get)" regctl-files \
                regctl artifact get "$repo:$tag" -o regctl-files
        fi
    fi
    for entry in $podmans; do
        n=${entry#*=}
        podman="${entry%%=*} --root $work/podman-$n --runroot $work/podman-run-$n --storage-driver vfs"
        if [ $form = image ]; then
            row "podman $n" $form "registry → store → registry (pull, push)" ok "docker://$host/p$n/$form:$tag" sh -c \
                "$podman pull --tls-verify=false $repo:$tag && \
                 $podman push --tls-verify=false $repo:$tag $host/p$n/$form:$tag"
            row "podman $n" $form "store → oci-archive (save)" ok "oci-archive:p$n.tar" \
                $podman save --format oci-archive -o "p$n.tar" "$repo:$tag"
            row "podman $n" $form "store → layout (save)" ok "oci:p$n-oci" \
                $podman save --format oci-dir -o "p$n-oci" "$repo:$tag"
            row "podman $n" $form "store → dir (save, v2s2)" ok "dir:p$n-dir" \
                $podman save --format docker-dir -o "p$n-dir" "$repo:$tag"
            row "podman $n" $form "oci-archive → store → registry (load, push)" ok "docker://$host/p$n/l-$form:$tag" sh -c \
                "$podman load -i own-image.tar && \
                 $podman push --tls-verify=false localhost/$tag:latest $host/p$n/l-$form:$tag"
        # Before 5.4 podman has no artifact command, and answers any unknown word with its help.
        elif $podman artifact --help | grep -q extract; then
            mkdir "podman-files-$n"
            files "podman $n" $form "registry → files (artifact pull, extract)" "podman-files-$n" sh -c \
                "$podman artifact pull --tls-verify=false $repo:$tag && $podman artifact extract $repo:$tag podman-files-$n"
        fi
    done
    if have cosign; then
        row cosign $form "registry → layout (save)" ok "oci:cosign-$form" \
            cosign save --allow-http-registry "$repo:$tag" --dir "cosign-$form"
        row cosign $form "layout → registry (load)" ok "docker://$host/cosign/$form:$tag" \
            cosign load --allow-http-registry --dir "cosign-$form" "$host/cosign/$form:$tag"
        row cosign $form "registry → registry (copy)" ok "docker://$host/cosign/c-$form:$tag" \
            cosign copy --allow-http-registry "$repo:$tag" "$host/cosign/c-$form:$tag"
    fi
done

if have umoci; then
    # umoci adds tags to a layout and unpacks images; it does not copy between places.
    cp -r own-image umoci-image
    row umoci image "layout → layout (tag)" ok "oci:umoci-image:second" umoci tag --image umoci-image:image second
    row umoci image "layout after gc" ok "oci:umoci-image:image" umoci gc --layout umoci-image
    files umoci image "layout → files (raw unpack)" umoci-files/keys \
        umoci raw unpack --rootless --image own-image:image umoci-files
fi

# The other direction: keypack copies what the tools pushed to a registry into a layout next to other images.
if have oras; then
    oras cp --from-plain-http "$repo:artifact" --to-oci-layout mixed:a >/dev/null 2>&1
    "$KEYPACK" push keys oci:mixed:b >/dev/null 2>&1
    row "oras, then keypack" both "one layout with both forms" ok "oci:mixed:b" true
    row "oras, then keypack" both "the same, the other tag" ok "oci:mixed:a" true
fi

[ "$failed" = 0 ] || echo "some rows are not as expected" >&2
exit "$failed"
