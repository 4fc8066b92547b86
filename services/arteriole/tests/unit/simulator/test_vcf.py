"""VCF files: what is read, and what is refused."""

import gzip

import pytest

from arteriole.simulator.vcf import Call, DamagedVcfError, Variant, read_calls, vcf_of

META = '##fileformat=VCFv4.2\n##INFO=<ID=DP,Number=1,Type=Integer,Description="#x">\n'
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
HEAD = f"{META}{COLUMNS}\tFORMAT\ts\n"


def line(pos="7", ref="A", alt="G", rejected=".", form="GT:PL", genotype="1:255,0"):
    return f"genome\t{pos}\t.\t{ref}\t{alt}\t9.5\t{rejected}\tDP=3\t{form}\t{genotype}\n"


def calls(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(call.variant.pos, call.variant.ref, call.variant.alt, call.is_whole)
            for call in read_calls(path)]  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.vcf"


def test_what_was_written_is_read(path):
    variants = (Variant("genome", 7, "A", "G"), Variant("genome", 300, "AC", "A"))
    path.write_text(vcf_of("s", variants, {"genome": 4000}))
    assert list(read_calls(path)) == [Call(5 + n, v, True) for n, v in enumerate(variants)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (line(), [(7, "A", "G", True)]),
        (line(ref="a", alt="g"), [(7, "A", "G", True)]),
        (line(ref="CAAA", alt="CAA"), [(7, "CA", "C", True)]),
        (line(ref="CAT", alt="CGT"), [(8, "A", "G", True)]),
        (line(genotype="1/1"), [(7, "A", "G", True)]),
        (line(genotype="0/1"), [(7, "A", "G", False)]),
        (line(genotype="1|."), [(7, "A", "G", False)]),
        (line(genotype="0"), []),
        (line(genotype="."), []),
        (line(alt=".", genotype="0"), []),
        (line(alt="G,T", genotype="2"), [(7, "A", "T", True)]),
        (line(alt="G,T", genotype="1/2"), [(7, "A", "G", False), (7, "A", "T", False)]),
        (line(form="PL", genotype="255,0"), [(7, "A", "G", True)]),
        (line(rejected="PASS"), [(7, "A", "G", True)]),
        (line(rejected="LowQual"), []),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_calls(path, text, expected, packed):
    content = (HEAD + text).encode()
    assert calls(path, gzip.compress(content) if packed else content) == expected


def test_without_a_sample_every_allele_counts(path):
    text = "genome\t7\t.\tA\tG,T\t.\t.\t.\n"
    found = calls(path, f"{META}{COLUMNS}\n{text}")
    assert found == [(7, "A", "G", True), (7, "A", "T", True)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: expected ##fileformat=VCFv4"),
        ("BCF\2\2", "line 1 is cut off"),
        ("##fileformat=VCFv3.3\n", "found '##fileformat=VCFv3.3'"),
        (META, "the columns #CHROM to INFO"),
        (f"{META}{COLUMNS}\tFORMAT\n", "one sample"),
        (f"{META}{COLUMNS}\tFORMAT\ts\tt\n", "one sample"),
        (f"{META}{COLUMNS}\tGT\ts\n", "one sample"),
        (HEAD + line()[:-1], "line 4 is cut off"),
        (HEAD + "genome\t7\n", "line 4: expected 10 columns; found 2"),
        (HEAD + line(pos="0"), "found '0'"),
        (HEAD + line(pos="x" * 99), "found 'xxx.*[.][.][.]'"),
        (HEAD + line(ref=""), "found ''"),
        (HEAD + line(alt="<DEL>"), "found '<DEL>'"),
        (HEAD + line(alt="G,<*>"), "found '<[*]>'"),
        (HEAD + line(genotype="x"), "expected a genotype; found 'x'"),
        (HEAD + line(genotype=f"0/{'9' * 5000}"), "expected a genotype"),
        (HEAD + line(genotype="2"), "names an allele that is not there"),
        (HEAD.encode() + b"\xff\n", "cannot be read"),
        (gzip.compress(HEAD.encode())[:-9], "cannot be read"),
        ((HEAD + "g" * (1 << 21) + "\n").encode(), "too long"),
    ],
)
def test_refused(path, content, message):
    with pytest.raises(DamagedVcfError, match=message):
        calls(path, content)


def test_a_vcf_that_is_not_there_is_refused(path):
    with pytest.raises(DamagedVcfError, match="cannot be read"):
        list(read_calls(path))
