# shellcheck shell=sh
# Sets `commit` to the checkout's commit with the shell's own commands alone: the launcher reads
# it on every start. Sourced with `root` set.
: "${root:?}"
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
