# shellcheck shell=sh
# shellcheck disable=SC2034  # used by those who source this
# What setup/install, setup/doctor and check share. Sourced with `root` set to the checkout.
# Speaks on standard error only.
: "${root:?}"
. "$root/setup/state.sh"
. "$root/setup/peers.sh"
export PYTHONDONTWRITEBYTECODE=1

say() { printf '%s\n' "$*" >&2; }
die() {
  say "setup: $*"
  exit 1
}

if [ -z "$cache" ]; then
  die "HOME is not set, so there is no place for the cache: set HOME or XDG_CACHE_HOME"
fi
downloads=$cache/downloads

# Debian packages, by what needs them.
packages_run="g++ cmake ninja-build pkg-config python3 python3-pip libssl-dev nlohmann-json3-dev
  libfmt-dev libcli11-dev libtomlplusplus-dev libyaml-cpp-dev libre2-dev libseccomp-dev
  libcurl4-openssl-dev libdnnl-dev libboost-dev zlib1g-dev bubblewrap"
packages_test="libgtest-dev libgmock-dev libbenchmark-dev git"
packages_clang="clang clang-tidy-19"

# What a first set-up takes, in MB, said before it begins.
megabytes_sources=310
megabytes_packages=100
megabytes_disk=2000

# The packages among the arguments that are not installed; none where there is no dpkg.
missing_packages() {
  command -v dpkg-query >/dev/null || return 0
  for package in "$@"; do
    # shellcheck disable=SC2016  # dpkg expands it
    case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) in
      installed) ;;
      *) printf '%s\n' "$package" ;;
    esac
  done
}

# A Python that is new enough; the system's own where the one on the path is not.
find_python() {
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      return 0
    fi
  done
  return 1
}

# What two builds of the same sources differ by: the compiler, and what -march=native means here
# (a cache may be carried to another processor).
machine_facts() {
  c++ --version
  c++ -march=native -dM -E -x c++ /dev/null 2>/dev/null || uname -m
}
key() { sha256sum | cut -c1-16; }

# Everything llama.cpp's build is a function of, and everything the other dependencies' are.
llama_key() {
  {
    sed -n '/^llama_cpp_python==/,/sha256/p' "$root/requirements.txt"
    cat "$root/setup/llama" "$root/setup/recipe.sh"
    machine_facts
  } | key
}
deps_key() {
  {
    cat "$root/requirements.txt" "$root/setup/scanners.txt" "$root/setup/unpack.py" \
      "$root/setup/dependencies" "$root/setup/recipe.sh" "$root/setup/native/CMakeLists.txt" \
      "$root/setup/native/yaml/schema.core.c"
    llama_key
    machine_facts
  } | key
}
