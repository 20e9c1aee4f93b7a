# shellcheck shell=sh
# shellcheck disable=SC2034  # used by those who source this
# Sets, from `root` and the environment, where things are and which commit the checkout is at:
# cache, data, binary, commit. Only the shell's own commands: the launcher sources it each start.
: "${root:?}"

# As src/base/paths.h has it: a relative value is ignored; `nowhere` where there is no home.
home=
case ${HOME:-} in /*) home=$HOME ;; esac
nowhere=${TMPDIR:-/tmp}
case ${XDG_CACHE_HOME:-} in
  /*) cache=$XDG_CACHE_HOME/tinyarms ;;
  *) cache=${home:+$home/.cache/tinyarms} ;;
esac
cache=${SETUP_CACHE:-$cache}
case ${XDG_DATA_HOME:-} in
  /*) data=$XDG_DATA_HOME/tinyarms ;;
  *) data=${home:+$home/.local/share}
     data=${data:-$nowhere}/tinyarms ;;
esac
binary=$root/build/release/src/cli/tinyarms

commit=
git_folder=$root/.git
if [ -f "$git_folder" ]; then # a worktree: "gitdir: <path>"
  read -r _ git_folder <"$git_folder" || :
  case $git_folder in /*) ;; *) git_folder=$root/$git_folder ;; esac
fi
git_common=$git_folder
if [ -r "$git_folder/commondir" ]; then
  read -r git_common <"$git_folder/commondir" || :
  case $git_common in /*) ;; *) git_common=$git_folder/$git_common ;; esac
fi
if [ -r "$git_folder/HEAD" ]; then
  read -r commit <"$git_folder/HEAD" || :
fi
case $commit in
  "ref: "*)
    git_ref=${commit#ref: }
    commit=
    if [ -r "$git_common/$git_ref" ]; then
      read -r commit <"$git_common/$git_ref" || :
    elif [ -r "$git_common/packed-refs" ]; then
      while read -r git_sha git_name; do
        if [ "$git_name" = "$git_ref" ]; then
          commit=$git_sha
          break
        fi
      done <"$git_common/packed-refs"
    fi
    ;;
esac
commit=${commit:-unknown}
