"""README.txt of an archive in a bucket: how to get the files back without us."""

from arteriole.archive.holding import Holding

_TEXT = """\
This is one attempt of a sequencing run, complete if archive.json is beside this file.

data/<digest>   the content of a file, at its BLAKE3 digest; files of equal content share one
manifest/       <part>.md5 and <part>.blake3: digest and name of every file of a part
index.json      a line for each file: its name, key, size in bytes and digests
archive.json    when it was archived, and the BLAKE3 digests of the manifests

To restore it:

1. If the objects below data/ are of a storage class that cannot be read at once, bring them back
   first (S3: RestoreObject, `aws s3api restore-object`).
2. Copy all of it into an empty folder with any S3 client, for example:
       aws s3 cp --recursive {where} .
3. In that folder give the files their names:

for part in {parts}; do
    while IFS= read -r line; do
        digest="${{line%%  *}}" name="${{line#*  }}"
        case "$name" in */*) mkdir -p "$part/${{name%/*}}" ;; *) mkdir -p "$part" ;; esac
        cp "data/$digest" "$part/$name" || exit
    done < "manifest/$part.blake3"
done

4. Check every byte with md5sum or b3sum:

for part in {parts}; do
    (cd "$part" && md5sum --check --strict --quiet "../manifest/$part.md5") || exit
done

   or, with b3sum:  (cd PART && b3sum --check --quiet ../manifest/PART.blake3)
"""


def readme(where: str, holding: Holding) -> str:
    parts = sorted({name.partition(".")[0] for name in holding.manifests})
    return _TEXT.format(where=where, parts=" ".join(parts))
