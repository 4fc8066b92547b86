"""What is run on the executor's side: fixed scripts for a POSIX shell, names are arguments."""

#: run.sh: `$1` the step's folder, `$2` where it works, `$3` its mark of success. The command is in
#: the file `command`, which sets the arguments (a file, since hundreds of FASTQs are more than a
#: call by ssh can have).
#: A job that Slurm starts again after its node died has the same id, and may go on; a second job
#: of the same step ends at once (75).
RUN = """#!/bin/sh
step=$1 cwd=$2 mark=$3
me=${SLURM_JOB_ID:-here}
if ! mkdir "$step/claim" 2>/dev/null && [ "$(cat "$step/claim/by" 2>/dev/null)" != "$me" ]; then
  exit 75
fi
echo "$me" > "$step/claim/by" || exit 67
mkdir -p "$cwd" && cd "$cwd" || exit 66
date -u +%Y-%m-%dT%H:%M:%SZ > "$step/begun" || exit 67
. "$step/command"
"$@" > "$step/stdout" 2> "$step/stderr" < /dev/null
code=$?
if [ "$code" = 0 ]; then
  cp "$step/digest" "$mark.partial" && mv "$mark.partial" "$mark" || code=67
fi
echo "$code $(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$step/ended.partial" || exit 67
mv "$step/ended.partial" "$step/ended"
exit "$code"
"""

#: Makes the folder `$1` and unpacks the tar archive on stdin there.
UNPACK = """
mkdir -p "$1" || exit 67
tar -xf - -C "$1" || exit 67
"""

#: Prints the end of each folder named: `<exit code> <time> <begun>`, or `-`.
ENDS = """
for step in "$@"; do
  if [ -e "$step/ended" ]; then
    echo "$(cat "$step/ended") $(cat "$step/begun")"
  else
    echo -
  fi
done
"""

#: The last `$2` bytes of the file `$1`; nothing if it is not there.
TAIL = """
[ -e "$1" ] || exit 0
tail -c "$2" "$1"
"""

#: The content of the file `$1`; nothing if it is not there.
READ = """
[ -e "$1" ] || exit 0
cat "$1"
"""

_MINE = """
mine() { squeue --noheader --user="$(id -un)" --format="$@"; }
cancel() {
  mine '%F %j' | while read -r id name; do
    for key in "$@"; do
      case "$name" in "$key" | "$key"-*) echo "$id" ;; esac
    done
  done | sort -u | xargs -r scancel
}
"""

#: Submits the step with the key `$1` and the folder `$2` below `$3`, as `sbatch` is told by the
#: other arguments; the tar archive is on stdin. Nothing happens if it was submitted already. An
#: earlier step of the same work is ended first. 68: Slurm does not answer; 69: that step goes on;
#: 70: sbatch refuses.
SUBMIT = (
    _MINE
    + """
key=$1 step=$2 home=$3
shift 3
[ -e "$step/ended" ] && exit 0
mkdir -p "$step" || exit 67
old=$(cat "$home/current" 2>/dev/null)
if [ -n "$old" ] && [ "$old" != "$key" ]; then
  tries=0
  while [ -n "$(mine %A --name="$old" || echo unknown)" ]; do
    [ "$tries" = 30 ] && exit 69
    tries=$((tries + 1))
    cancel "$old"
    sleep 1
  done
fi
found=$(mine %A --name="$key") || exit 68
[ -n "$found" ] && exit 0
[ -e "$step/claim" ] || [ -e "$step/submitted" ] && exit 0
tar -xf - -C "$step" || exit 67
echo "$key" > "$home/current.partial" && mv "$home/current.partial" "$home/current" || exit 67
if ! sbatch --parsable "$@" > "$step/submitted.partial"; then
  found=$(mine %A --name="$key") || exit 68
  [ -n "$found" ] || exit 70
fi
mv "$step/submitted.partial" "$step/submitted"
"""
)

#: Prints `queue <key> <state>` for each job with one of the names in `$1` (with commas) that Slurm
#: knows, then the ends of the folders as ENDS does. NB: in this order, as a job writes its end
#: before it leaves the queue.
LOOK = (
    _MINE
    + """
names=$1
shift
mine 'queue %j %T' --states=all --name="$names" || exit 68
"""
    + ENDS
)

#: Cancels the jobs with the names that are arguments, and those that they have submitted, whose
#: names begin with theirs and a dash.
CANCEL = (
    _MINE
    + """
mine %A > /dev/null || exit 68
cancel "$@"
"""
)

#: Cancels all jobs whose names begin with `$1` and a dash, and waits until they have left the queue
#: and with it their nodes. 69: one does not.
END = (
    _MINE
    + """
tries=0
while :; do
  told=$(mine %j) || exit 68
  printf '%s\\n' "$told" | grep -q -e "^$1-" || exit 0
  [ "$tries" = 90 ] && exit 69
  tries=$((tries + 1))
  cancel "$1"
  sleep 1
done
"""
)

#: Exit codes of the scripts.
NO_FOLDER = 66
NOT_WRITTEN = 67
NO_SLURM = 68
STILL_RUNNING = 69
REFUSED = 70
