"""What is run at the destination: fixed scripts for a POSIX shell, names are their arguments.

`$1` is the destination's path, `$2` the run, `$3` the folder that is to be there (attempt-1, say).
Until it is published it lies in the partial one, `.$3.partial`, which nobody else may enter.

NB: others see what runs there, so no name of a file is an argument of any process, but for a
moment those of the few that were just being received when an earlier start ended.
"""

#: Where rsync keeps half files. It sends no folder of this name, so it is none that others use.
#: What earlier versions kept in `.rsync-partial` is cleared away like all that was not sent.
PARTIAL_DIR = ".arteriole-partial"

#: Compares the folder that it is in with its manifest `$5.blake3` if b3sum is there, which takes a
#: quarter of the time, else with `$5.md5`; `bad` is 65 if they differ, and what does is named, as
#: these tools do it or as `surplus: ./<path>`.
#:
#: As many of them read at once as there are cores, at most `$4`; each has an equal part of the
#: bytes, the largest files first.
_COMPARE = """
manifest=$5.md5; name_at=35; check="md5sum --check --quiet --strict"
if [ -f "$5.blake3" ] && command -v b3sum > /dev/null; then
  manifest=$5.blake3; name_at=67; check="b3sum --check --quiet --no-mmap"
fi
count=$(nproc) || exit 67
if [ "$count" -gt "$4" ]; then count=$4; fi
parts=$(mktemp -d) || exit 67
trap 'rm -rf "$parts"' EXIT
find . ! -type d -printf '%y %s %p\\n' | sort -k 2,2nr | awk -v parts="$parts" -v count="$count" \
  -v name_at="$name_at" -v own="./$5" '
  NR == FNR { want["./" substr($0, name_at)] = $0; next }
  { name = $0; sub(/^[^ ]* [^ ]* /, "", name) }
  (name == own ".md5" || name == own ".blake3") && $1 == "f" { next }
  !(name in want) { print "surplus: " name; next }
  $1 != "f" { print substr(name, 3) ": FAILED" }
  name in given { next }
  {
    least = 1
    for (part = 2; part <= count; part++) if (load[part] < load[least]) least = part
    load[least] += $2 + 16384
    given[name] = 1
    print want[name] > (parts "/" least)
  }
  END { for (name in want) if (!(name in given)) print want[name] > (parts "/1") }
' "$manifest" - > "$parts/said" || exit 67
bad=0; begun=
for part in "$parts"/[0-9]*; do
  $check "$part" > "$part.said" 2>&1 &
  begun="$begun $!"
done
for process in $begun; do wait "$process" || bad=65; done
if [ -s "$parts/said" ]; then bad=65; fi
cat "$parts"/*said
"""

#: Says whether that folder is there, and its ready link. If it is, it is compared with its
#: manifests: `$6` is the MD5 of `$5.md5`, `$7` that of `$5.blake3`, which may be absent; exit code
#: 65 if they differ. If not, the partial folder is there from now on; then says whether it was
#: before, and how many bytes of whole files are in it.
#:
#: What is in the partial folder is moved to a new one of the same name: an rsync that still runs
#: there after a lost connection has a folder that is gone, and can write nothing more. What such a
#: one was just receiving is kept as rsync itself would have left it, and rsync can go on writing it
#: whatever mode it has come with. A partial folder that an
#: earlier version left is given up.
LOOK = f"""
LC_ALL=C; export LC_ALL
cd "$1" || exit 66
if [ -d "$2/$3" ]; then
  there=final
  if [ "$(readlink "ready/$2.$3")" = "../$2/$3" ]; then there=published; fi
  cd "$2/$3" || exit 67
  is_digest_of() {{
    found=
    if [ -f "$2" ]; then found=$(md5sum < "$2") || exit 67; fi
    [ "${{found%% *}}" = "$1" ]
  }}
  if ! is_digest_of "$6" "$5.md5"; then
    echo "$5.md5: FAILED"
    bad=65
  elif [ -e "$5.blake3" ] && ! is_digest_of "$7" "$5.blake3"; then
    echo "$5.blake3: FAILED"
    bad=65
  else
{_COMPARE}
  fi
  echo "arteriole: $there"
  exit "$bad"
fi
if [ -e "$2/$3" ] || [ -L "$2/$3" ]; then
  echo "$2/$3 is there and is no folder: move it away"
  exit 67
fi
mkdir -p "$2" && cd "$2" || exit 67
old=.$3.partial; new=.$3.next
if [ -d "$old/$3" ] || [ -d "$new/$3" ]; then begun=begun; else begun=new; fi
(umask 077 && mkdir -p "$new") || exit 67
find "$new" -prune -perm /077 -exec chmod go-rwx {{}} + || exit 68
if [ -d "$old/$3" ] && [ ! -e "$new/$3" ]; then mv -t "$new" "$old/$3" || exit 67; fi
rm -rf "$old" && mkdir -p "$new/$3" && mv -T "$new" "$old" || exit 67
cd "$old/$3" || exit 67
find . -type f -name '.?*.??????' ! -path '*/{PARTIAL_DIR}/*' -exec sh -c '
  for file do
    kept="${{file%/*}}/{PARTIAL_DIR}"; name="${{file##*/.}}"; name="${{name%.??????}}"
    mkdir -p "$kept" || exit 1
    if [ -f "$kept/$name" ] && [ "$(wc -c < "$kept/$name")" -ge "$(wc -c < "$file")" ]; then
      rm -f "$file"
    else
      mv -fT "$file" "$kept/$name"
    fi || exit 1
  done
' sh {{}} + || exit 67
find . -type f -path '*/{PARTIAL_DIR}/*' ! -perm -200 | while IFS= read -r half; do
  chmod u+w /dev/stdin < "$half" || exit 68
done || exit 68
find . -type f ! -path '*/{PARTIAL_DIR}/*' -printf '%s\\n' | awk -v begun="$begun" '
  {{ bytes += $1 }}
  END {{ printf "arteriole: %s %.0f\\n", begun, bytes }}
'
"""

#: Removes from the partial folder whatever is not on stdin (names with ./ before, each followed by
#: NUL, in the order of their bytes), and the folders that are empty then.
CLEAR = f"""
LC_ALL=C; export LC_ALL
cd "$1/$2/.$3.partial/$3" || exit 66
wanted=$(mktemp) || exit 67
trap 'rm -f "$wanted"' EXIT
cat > "$wanted" || exit 67
find . ! -type d ! -path '*/{PARTIAL_DIR}/*' -print0 | sort -z | comm -z -23 - "$wanted" |
  tar --create --file /dev/null --null --no-recursion --remove-files --files-from - || exit 67
find . -mindepth 1 -type d -empty -delete || exit 67
"""

#: Compares the partial folder with the manifests on stdin, which are left there, told apart by the
#: length of their digests; exit code 65 if they differ. What arrived reaches the disk meanwhile.
VERIFY = f"""
LC_ALL=C; export LC_ALL
cd "$1/$2/.$3.partial/$3" || exit 66
find . -depth '(' -type d -name {PARTIAL_DIR} -o -path '*/{PARTIAL_DIR}/*' ')' -delete
rm -f "$5.md5" "$5.blake3"
awk -v own="$5" '{{ print > (own (length($1) == 32 ? ".md5" : ".blake3")) }}' || exit 67
sync -f . &
syncing=$!
{_COMPARE}
wait "$syncing" || exit 67
exit "$bad"
"""

#: Gives the verified folder its group (`$4`) and modes (of files `$5`, of folders `$6`; those that
#: are empty are left as they are), renames it and makes the ready link; each step is left out if it
#: is done. The folders of the run and of the links are given the same where they are ours.
PUBLISH = """
group=$4; file_mode=$5; directory_mode=$6; partial=$2/.$3.partial
list=$(mktemp) || exit 67
trap 'rm -f "$list"' EXIT
each() {
  tool=$1; given=$2; shift 2
  find "$@" > "$list" || exit 68
  while IFS= read -r found; do
    "$tool" "$given" /dev/stdin < "$found" || exit 68
  done < "$list"
  wrong=$(find "$@" -print -quit)
  if [ -n "$wrong" ]; then echo "group or mode is not kept there: $wrong"; exit 68; fi
}
give() {
  if [ -n "$group" ]; then each chgrp "$group" "$@" ! -group "$group"; fi
  if [ -n "$file_mode" ]; then each chmod "0$file_mode" "$@" -type f ! -perm "$file_mode"; fi
  if [ -n "$directory_mode" ]; then
    each chmod "0$directory_mode" "$@" -type d ! -perm "$directory_mode"
  fi
}
cd "$1" || exit 66
if [ ! -d "$2/$3" ]; then
  if [ -n "$group" ]; then chgrp -Rh "$group" "$partial/$3" || exit 68; fi
  give "$partial/$3"
  give "$2" -maxdepth 0 -user "$(id -u)"
  sync -f "$partial/$3" || exit 67
  mv -T "$partial/$3" "$2/$3" || exit 67
fi
rm -rf "$partial" || exit 67
if [ ! -d ready ]; then
  mkdir -p ready || exit 67
  give ready -maxdepth 0
fi
if [ "$(readlink "ready/$2.$3")" != "../$2/$3" ]; then
  ln -sfn "../$2/$3" "ready/.$2.$3.new" || exit 67
  mv -T "ready/.$2.$3.new" "ready/$2.$3" || exit 67
fi
"""

#: Exit codes of the scripts.
DIFFERS = 65
NO_FOLDER = 66
NO_ACCESS = 68
