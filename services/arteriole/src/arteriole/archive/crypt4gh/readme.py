"""README.txt of an encrypted archive: how to get the files back with the private key alone."""

from arteriole.archive.readme import CHECK, UNPACK

_TEXT = """\
This is one attempt of a sequencing run, complete if archive.json is beside this file. All but this
file, archive.json and objects.md5 is encrypted by Crypt4GH (GA4GH's standard).

bundles/<name>.tar.c4gh   small files, in plain tar
data/<digest>.c4gh        a larger file, at the BLAKE3 digest of its content; equal ones share one
manifest/                 <part>.md5.c4gh and <part>.blake3.c4gh: digest and name of every file of a
                          part; <part>.addendum-<n>...: of what was added to it later
index.json.c4gh           a line for each bundle and each file: key, size in bytes and digests of
                          what is encrypted, and of a file in a bundle the offset of its first byte
objects.md5               the MD5 digest of each of these, as they lie here
archive.json              when it was archived, for which public keys it is encrypted, and BLAKE3
                          digests of the manifests

Beside the folder that all of this lies in, folders named like it with .addendum-<n> behind may be:
what was added to the run after this was archived. They are of the same form, restored likewise.

To restore it you need the private key of one of the recipients, and any program that decrypts
Crypt4GH, such as EGA's: pip install crypt4gh

1. If the objects below bundles/ and data/ are of a storage class that cannot be read at once,
   bring them back first (S3: RestoreObject, `aws s3api restore-object`).
2. Copy all of it into an empty folder with any S3 client, for example:
       aws s3 cp --recursive {where} .
3. In that folder see whether all of it arrived as it was written, for which no key is needed:

md5sum --check --strict --quiet objects.md5 || exit

4. Decrypt it, with KEY set to the file of the private key:

for sealed in index.json.c4gh manifest/*.c4gh bundles/*.c4gh data/*.c4gh; do
    if [ ! -e "$sealed" ]; then continue; fi
    crypt4gh decrypt --sk "$KEY" < "$sealed" > "${{sealed%.c4gh}}" || exit
done

5. Unpack the bundles, and give the other files their names:

{unpack}

6. Check every byte with md5sum or b3sum. Do not leave this out: it is what tells a full disk.

{check}

   or, with b3sum:  (cd PART && b3sum --check --quiet ../manifest/PART.blake3)

To restore one file, find its line in index.json, which is decrypted as above. Without an offset,
decrypt its key. With one, it is a member of the bundle KEY: decrypt that, and unpack it alone:
    crypt4gh decrypt --sk "$KEY" < BUNDLE.tar.c4gh | tar -x -f - NAME
Then compare md5sum FILE with the line.
"""


def readme(where: str) -> str:
    return _TEXT.format(where=where, unpack=UNPACK, check=CHECK)
