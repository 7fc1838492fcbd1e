# Shared by the scripts of this folder (source it; do not run it): messages, the lock file, the cache folder.

repo="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
lock_file="${SELENE_LOCK:-$repo/third_party.lock}"
cache="${SELENE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/selene}"

say() { echo "selene: $*" >&2; }
die() { say "$*"; exit 1; }

# build_progress: what ninja says with NINJA_STATUS='@%p ', for a log: a line every tenth of the way or every 30 seconds
# in place of a line a file; the compiler's own words as they are.
build_progress() {
  local line due=0 said=$SECONDS
  while IFS= read -r line; do
    if [[ "$line" =~ ^@\ *([0-9]+)%\  ]]; then
      local share="${BASH_REMATCH[1]}"
      ((share >= due || SECONDS - said >= 30)) || continue
      echo "selene: built $share%"
      due=$((share - share % 10 + 10)) said=$SECONDS
    elif [ "$line" != "ninja: no work to do." ]; then echo "$line"
    fi
  done
}

# lock_get SECTION KEY: the values of KEY in SECTION of third_party.lock, one a line.
lock_get() {
  awk -v section="[$1]" -v key="$2" '
    /^[[:space:]]*(#|$)/ { next }
    /^\[/ { inside = ($0 == section); next }
    inside && match($0, /[[:space:]]*=[[:space:]]*/) && substr($0, 1, RSTART - 1) == key {
      print substr($0, RSTART + RLENGTH)
    }' "$lock_file"
}

# as_root CMD...: runs it as root, with sudo when that is needed and there.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "needs root for: $*"
  fi
}

# missing_packages NAME...: those that dpkg does not have installed.
missing_packages() {
  local installed
  installed="$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p')"
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

# apt_install NAME...: installs those that are missing; apt-get's output goes to a log that is shown on failure.
apt_install() {
  local missing log
  missing="$(missing_packages "$@")"
  [ -z "$missing" ] && return 0
  say "installing" $missing
  log="$(mktemp)"
  if as_root apt-get update -q >"$log" 2>&1 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >>"$log" 2>&1 </dev/null
  then rm -f "$log"
  else tail -n 20 "$log" >&2; rm -f "$log"; die "apt-get could not install:" $missing
  fi
}
