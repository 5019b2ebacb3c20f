#!/bin/sh
# Installs Debian's Chromium, Graphviz and PostgreSQL where that is allowed; otherwise says exactly what to install, and fails.
set -eu
wanted=""
command -v chromium >/dev/null || wanted="$wanted chromium"
command -v dot >/dev/null || wanted="$wanted graphviz"
# Debian keeps PostgreSQL's server programs off the PATH; tests/postgres.py looks in the same two places.
command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
wanted="${wanted# }"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "The tests need: $wanted. Install them, then run make test again: sudo apt-get install $wanted" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "The tests need: $wanted (Chromium under the name 'chromium', Graphviz's 'dot' and PostgreSQL's 'initdb' and 'postgres', all on the PATH); this system has no apt-get to install them with." >&2
    exit 1
fi
# Debian's PostgreSQL makes and starts a server of its own when it is installed. The tests start theirs in a
# temporary folder and need the programs only: this file, there during the install, tells the package so.
setting=/etc/postgresql-common/createcluster.d/lineage-explorer.conf
forget() {
    $as_root rm -f "$setting"
    $as_root rmdir "${setting%/*}" 2>/dev/null || true
}
case " $wanted " in
*" postgresql "*)
    $as_root mkdir -p "${setting%/*}"
    trap forget EXIT
    trap 'exit 130' INT TERM
    echo "create_main_cluster = false" | $as_root tee "$setting" >/dev/null
    ;;
esac
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $wanted >/dev/null
