"""README.txt of an archive in a bucket: how to get the files back without us."""

#: Shell commands, in the folder that the objects were copied to.
UNPACK = """\
for bundle in bundles/*.tar; do
    if [ -e "$bundle" ]; then tar -xf "$bundle" || exit; fi
done
for list in manifest/*.blake3; do
    part="${list#manifest/}"
    part="${part%%.*}"
    while IFS= read -r line; do
        digest="${line%%  *}" name="${line#*  }"
        if [ -e "$part/$name" ]; then continue; fi
        case "$name" in */*) mkdir -p "$part/${name%/*}" ;; *) mkdir -p "$part" ;; esac
        cp "data/$digest" "$part/$name" || exit
    done < "$list"
done"""
CHECK = """\
for list in manifest/*.md5; do
    part="${list#manifest/}"
    (cd "${part%%.*}" && md5sum --check --strict --quiet "../$list") || exit
done"""

_TEXT = """\
This is one attempt of a sequencing run, complete if archive.json is beside this file.

bundles/<name>.tar   small files, in plain tar
data/<digest>        the content of a larger file, at its BLAKE3 digest; equal ones share one
manifest/            <part>.md5 and <part>.blake3: digest and name of every file of a part;
                     <part>.addendum-<n>.md5 and .blake3: of what was added to it later
index.json           a line for each bundle and each file: key, size in bytes and digests of the
                     object, and of a file in a bundle the offset of its first byte there
archive.json         when it was archived, and the BLAKE3 digests of the manifests

Beside the folder that all of this lies in, folders named like it with .addendum-<n> behind may be:
what was added to the run after this was archived. They are of the same form, restored likewise.

To restore it:

1. If the objects below bundles/ and data/ are of a storage class that cannot be read at once,
   bring them back first (S3: RestoreObject, `aws s3api restore-object`).
2. Copy all of it into an empty folder with any S3 client, for example:
       aws s3 cp --recursive {where} .
3. In that folder unpack the bundles, and give the other files their names:

{unpack}

4. Check every byte with md5sum or b3sum:

{check}

   or, with b3sum:  (cd PART && b3sum --check --quiet ../manifest/PART.blake3)

To restore one file, find its line in index.json. Without an offset, fetch its key. With one, its
bytes are OFFSET to OFFSET+SIZE-1 of the bundle KEY, which one request can ask for:
    aws s3api get-object --bucket BUCKET --key KEY --range bytes=FIRST-LAST FILE
Then compare md5sum FILE with the line.
"""


def readme(where: str) -> str:
    return _TEXT.format(where=where, unpack=UNPACK, check=CHECK)
