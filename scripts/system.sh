#!/bin/sh
# Installs Debian's Chromium and Graphviz where that is allowed; otherwise says exactly what to install, and fails.
set -eu
wanted=""
command -v chromium >/dev/null || wanted="chromium"
command -v dot >/dev/null || wanted="$wanted graphviz"
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
    echo "The tests need: $wanted (Chromium under the name 'chromium', Graphviz's 'dot', both on the PATH); this system has no apt-get to install them with." >&2
    exit 1
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq $wanted >/dev/null
