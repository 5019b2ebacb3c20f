#!/bin/sh
# Installs Debian's Chromium where that is allowed; otherwise says exactly what to install, and fails.
set -eu
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "The browser tests need Chromium. Install it, then run make test again: sudo apt-get install chromium" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "The browser tests need Chromium on the PATH under the name 'chromium'; this system has no apt-get to install it with." >&2
    exit 1
fi
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq chromium >/dev/null
