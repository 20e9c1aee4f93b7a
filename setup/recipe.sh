# shellcheck shell=sh
# shellcheck disable=SC2034  # used by those who source this
# What setup/llama and setup/dependencies share. Sourced with `root` set to the checkout; `work`
# is set by the time its functions are called.
: "${root:?}"
. "$root/setup/peers.sh"
python=${SETUP_PYTHON:-python3}

run() { # TITLE LOG COMMAND…
  title=$1 log=$work/$2
  shift 2
  "$python" "$root/setup/progress.py" "$title" "$log" "$@"
}

# appear PART FINAL: whole or not at all, after a power cut, too.
appear() {
  sync -f "$1" 2>/dev/null || :
  mv "$1" "$2"
}

launcher=
if command -v ccache >/dev/null; then
  launcher="-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
  # The next recipe's WORK has another name, and most of the objects the same bytes.
  export CCACHE_BASEDIR="$2" CCACHE_NOHASHDIR=1
fi
