"""What an analysis runs on the executor's side: fixed scripts, names are their arguments."""

#: Makes the FASTQs in the folder `fastq` of the work folder `$1`: for each line of the file `$3`
#: the file of that name, which must hold that many reads, of the files that a list beside it names
#: (a file, since hundreds of samples are more than one command can be given). 65: it holds another
#: number. Whatever is in the work folder is of other inputs, or of a try that did not even have
#: these, and is removed first; `$2` is the name of the step's own folder.
INPUTS = """
work=$1 step=$2 wanted=$3 out=$1/fastq lists=${3%/*}
cd "$work" || exit 66
for path in * .[!.]* .steps/*; do
  case $path in
    .publishing | .steps | ".steps/$step" | .steps/current*) ;;
    *) rm -rf "./$path" || exit 67 ;;
  esac
done
mkdir "$out" || exit 67
while read -r name reads list; do
  target=$out/$name list=$lists/$list
  if [ "$(wc -l < "$list")" = 1 ]; then
    read -r source < "$list"
    [ -r "$source" ] || { echo "$source cannot be read" >&2; exit 66; }
    ln -s "$source" "$target.partial" || exit 67
  else
    while IFS= read -r source; do
      cat "$source" >> "$target.partial" || exit 66
    done < "$list"
  fi
  lines=$({ gzip -cd "$target.partial" || echo broken; } | wc -l)
  if [ "$lines" != $((4 * reads)) ]; then
    echo "$name has $((lines / 4)) reads ($lines lines), expected are $reads" >&2
    exit 65
  fi
  mv "$target.partial" "$target" || exit 67
  echo "$name $reads"
done < "$wanted"
"""

#: Exit codes of the scripts.
NO_RESULTS = 65
OTHER_RESULTS = 71
BUSY = 75
#: What FOUND prints where there are no results.
NOTHING = "none"

#: `alone WORK` goes on when no other script publishes the results of that work folder, and keeps
#: others from it until it ends, with all that it has begun; 75: another one is at it for longer
#: than a call is to take. NB: one whose connection was lost goes on there, and nobody hears of it.
#: `digest FOLDER` prints the one in the analysis.json of results; no other line of it begins so.
_ALONE = f"""
alone() {{
  touch "$1/.publishing" || exit 67
  exec 9>> "$1/.publishing"
  flock -w 5 9
  case $? in
    0) ;;
    1) exit {BUSY} ;;
    *) exit 1 ;;
  esac
}}
digest() {{ sed -n 's/^ "digest": "\\([0-9a-f]*\\)",*$/\\1/p' "$1/analysis.json"; }}
"""

#: Prints the digest of the results `$2` of the work folder `$1`, `-` if they have none, or `none`
#: if there are no results.
FOUND = (
    _ALONE
    + f"""
[ ! -e "$1/.publishing" ] || alone "$1"
[ -d "$2" ] || {{ echo {NOTHING}; exit 0; }}
found=$(digest "$2")
echo "${{found:--}}"
"""
)

#: Moves the results `$2` of the work folder `$1` to `$3/$4`, with the `$5` bytes on stdin as
#: analysis.json and what the steps printed; once it has its name it is never written again.
#: 71: it has it already, and none of the digests that are the other arguments; 65: there are no
#: results, and a retry does the steps again. NB: without `.moved` what was moved to there is of
#: earlier inputs; and without the marks of the steps results that somebody takes away can be made
#: anew.
PUBLISH = (
    _ALONE
    + f"""
cd "$1" || exit 66
results=$2 home=$3 final=$3/$4 partial=$3/.$4.partial size=$5
shift 5
alone .
if [ -d "$final" ]; then
  found=$(digest "$final")
  for one in "$@"; do
    [ "$one" = "$found" ] && exit 0
  done
  exit {OTHER_RESULTS}
fi
nothing() {{
  rm -f .steps/*.done
  exit {NO_RESULTS}
}}
mkdir -p "$home" || exit 67
if [ -d "$results" ]; then
  [ -n "$(find "$results" -type f -print | head -n 1)" ] || nothing
  rm -rf "$partial" "$partial.copy" && touch .moved || exit 67
  if [ "$(stat -c %d "$results")" = "$(stat -c %d "$home")" ]; then
    mv -T "$results" "$partial" || exit 67
  else
    cp -a "$results" "$partial.copy" && mv -T "$partial.copy" "$partial" || exit 67
  fi
fi
[ -e .moved ] && [ -d "$partial" ] || nothing
mkdir -p "$partial/steps" || exit 67
for step in .steps/*/; do
  [ -e "$step/ended" ] || continue
  name=$(basename "$step")
  for stream in stdout stderr; do
    cp "$step/$stream" "$partial/steps/$name.$stream" || exit 67
  done
done
cat > "$partial/analysis.json" || exit 67
if [ "$(wc -c < "$partial/analysis.json")" != "$size" ]; then
  echo "analysis.json did not come whole" >&2
  exit 67
fi
sync -f "$partial" || exit 67
mv -T "$partial" "$final" || exit 67
rm -rf "$results" .steps/*.done
"""
)
