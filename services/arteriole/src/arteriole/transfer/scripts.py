"""What is run at the destination: fixed scripts for a POSIX shell, names are their arguments.

`$1` is the destination's path, `$2` the run, `$3` the attempt.
"""

PARTIAL_DIR = ".rsync-partial"

#: Says whether the attempt is there; makes the folder that it is sent to if it is not.
LOOK = """
cd "$1" || exit 66
if [ -d "$2/attempt-$3" ]; then echo "arteriole: final"; exit 0; fi
mkdir -p "$2/.attempt-$3.partial" || exit 67
echo "arteriole: partial"
"""

#: Compares the folder `$2/$4` with the manifest on stdin; it is written there if `$5` is `write`.
#: Exit code 65: what differs is named, as md5sum does it or as `surplus: ./<path>`.
VERIFY = f"""
LC_ALL=C; export LC_ALL
cd "$1/$2/$4" || exit 66
if [ "$5" = write ]; then
  find . -type d -name {PARTIAL_DIR} -prune -exec rm -rf {{}} +
  cat > fastq.md5 || exit 67
elif ! cmp -s - fastq.md5; then
  echo "fastq.md5: FAILED"
  exit 65
fi
bad=0
md5sum -c --quiet --strict fastq.md5 || bad=65
find . ! -type d | awk '
  BEGIN {{ want["./fastq.md5"] = 1 }}
  NR == FNR {{ want["./" substr($0, 35)] = 1; next }}
  !($0 in want) {{ print "surplus: " $0; found = 1 }}
  END {{ exit found }}
' fastq.md5 - || bad=65
exit $bad
"""

#: Renames the verified folder and makes the ready link; each step is left out if it is done.
PUBLISH = """
cd "$1" || exit 66
if [ ! -e "$2/attempt-$3" ]; then
  sync -f "$2/.attempt-$3.partial" || exit 67
  mv -T "$2/.attempt-$3.partial" "$2/attempt-$3" || exit 67
fi
mkdir -p ready || exit 67
if [ "$(readlink "ready/$2.attempt-$3")" != "../$2/attempt-$3" ]; then
  ln -sfn "../$2/attempt-$3" "ready/.$2.attempt-$3.new" || exit 67
  mv -T "ready/.$2.attempt-$3.new" "ready/$2.attempt-$3" || exit 67
fi
"""

#: Exit codes of the scripts.
DIFFERS = 65
NO_FOLDER = 66
