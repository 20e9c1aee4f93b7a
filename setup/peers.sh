# shellcheck shell=sh
# shellcheck disable=SC2034  # used by those who source this
# llama.cpp's own programs, for benchmarks and tests only: what they are compared with, and the
# remote engine they talk to.
llama_peers="llama-bench llama-quantize llama-perplexity llama-imatrix llama-server"

peers_missing() { # FOLDER
  for peer in $llama_peers; do
    [ -x "$1/bin/$peer" ] || return 0
  done
  return 1
}
