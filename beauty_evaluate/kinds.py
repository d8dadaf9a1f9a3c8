"""What a file is that is no photo: by its content in a message, by its name where a folder leaves it out."""

import os
from collections import Counter
from collections.abc import Mapping

from beauty_evaluate import exif

CONVERT = "save it as JPEG or PNG"
STILL = "save a still of it as JPEG or PNG"
UNPACK = "unpack it and give the photos inside"
DEVELOP = "develop it to JPEG first"

# Place, signature, what it is, the cure.
BINARY: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"%PDF-", "a PDF, not a picture", "save its page as JPEG or PNG"),
    (0, b"8BPS", "a Photoshop document (PSD)", CONVERT),
    (0, b"gimp xcf", "a GIMP document (XCF)", CONVERT),
    (0, b"%!PS", "a PostScript document", CONVERT),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript document", CONVERT),
    (0, b"\x00\x00\x01\x00", "an icon (ICO)", CONVERT),
    (0, b"\x00\x00\x02\x00", "a mouse pointer (CUR)", CONVERT),
    (0, b"icns", "an icon (ICNS)", CONVERT),
    (0, b"DDS ", "a DDS texture", CONVERT),
    (0, b"qoif", "a QOI picture", CONVERT),
    (0, b"BPG\xfb", "a BPG picture", CONVERT),
    (0, b"FLIF", "a FLIF picture", CONVERT),
    (0, b"v/1\x01", "an OpenEXR picture", CONVERT),
    (0, b"#?RADIANCE", "a Radiance HDR picture", CONVERT),
    (0, b"II\xbc\x01", "a JPEG XR picture", CONVERT),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile", CONVERT),
    (40, b" EMF", "a Windows metafile", CONVERT),
    (128, b"DICM", "a DICOM picture", CONVERT),
    (0, b"SIMPLE  =", "a FITS picture", CONVERT),
    (0, b"\x93NUMPY", "a NumPy array", "load it with numpy and give the array to Scorer.score"),
    (0, b"FUJIFILMCCD-RAW", "a raw camera file (RAF)", DEVELOP),
    (0, b"IIRO", "a raw camera file (ORF)", DEVELOP),
    (0, b"IIRS", "a raw camera file (ORF)", DEVELOP),
    (0, b"MMOR", "a raw camera file (ORF)", DEVELOP),
    (0, b"IIU\x00", "a raw camera file (RW2)", DEVELOP),
    (0, b"FOVb", "a raw camera file (X3F)", DEVELOP),
    (0, b"\x00MRM", "a raw camera file (MRW)", DEVELOP),
    (6, b"HEAPCCDR", "a raw camera file (CRW)", DEVELOP),
    (8, b"CR\x02", "a raw camera file (CR2)", DEVELOP),
    (4, b"ftypcrx ", "a raw camera file (CR3)", DEVELOP),
    (0, b"\x1aE\xdf\xa3", "a video (Matroska or WebM), not a picture", STILL),
    (8, b"AVI LIST", "a video (AVI), not a picture", STILL),
    (0, b"FLV\x01", "a video (FLV), not a picture", STILL),
    (0, b"0&\xb2u\x8ef\xcf\x11", "a video (WMV), not a picture", STILL),
    (0, b"\x00\x00\x01\xba", "a video (MPEG), not a picture", STILL),
    (0, b"\x00\x00\x01\xb3", "a video (MPEG), not a picture", STILL),
    (8, b"WAVEfmt ", "a sound, not a picture", "give a photo"),
    (0, b"ID3", "a sound, not a picture", "give a photo"),
    (0, b"OggS", "a sound or video (Ogg), not a picture", STILL),
    (0, b"fLaC", "a sound, not a picture", "give a photo"),
    (0, b"Rar!\x1a\x07", "an archive (RAR), not a picture", UNPACK),
    (0, b"7z\xbc\xaf'\x1c", "an archive (7z), not a picture", UNPACK),
    (0, b"\x1f\x8b", "an archive (gzip), not a picture", UNPACK),
    (0, b"BZh", "an archive (bzip2), not a picture", UNPACK),
    (0, b"\xfd7zXZ\x00", "an archive (xz), not a picture", UNPACK),
    (0, b"(\xb5/\xfd", "an archive (zstd), not a picture", UNPACK),
    (257, b"ustar", "an archive (tar), not a picture", UNPACK),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document, not a picture", "save the picture in it as a file"),
    (0, b"\x00\x05\x16\x07", "what a Mac keeps beside a photo, not the photo", "give the file without `._`"),
    (0, b"bplist00", "a property list of a Mac, not a picture", "give the photo itself"),
    (0, b"SQLite format 3\x00", "a database, not a picture", "give a photo"),
    (0, b"\x7fELF", "a program, not a picture", "give a photo"),
    (0, b"MZ\x90\x00", "a program, not a picture", "give a photo"),
)
ZIP_PARTS = (  # a name within the archive, and what the archive is then
    (b"word/", "a Word document"),
    (b"xl/", "an Excel table"),
    (b"ppt/", "PowerPoint slides"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument"),
    (b"application/epub+zip", "an e-book (EPUB)"),
)
TEXTS = (  # how a text begins, in small letters, what it is, the cure
    ("version https://git-lfs.github.com/spec/", "a pointer of Git LFS, not the picture", "run `git lfs pull`"),
    ("/annex/objects/", "a pointer of git-annex, not the picture", "run `git annex get`"),
    ("outs:\n- md5:", "a pointer of DVC, not the picture", "run `dvc pull`"),
    ("<!doctype html", "a web page, not a picture", "download the picture itself"),
    ("<html", "a web page, not a picture", "download the picture itself"),
    ("<svg", "a drawing (SVG), not a photo", CONVERT),
    ("<!doctype svg", "a drawing (SVG), not a photo", CONVERT),
    ("data:image/", "a picture as base64 text", "decode the text to a file first"),
    ("/9j/", "a picture as base64 text", "decode the text to a file first"),
    ("ivborw0kggo", "a picture as base64 text", "decode the text to a file first"),
    ("{\\rtf", "a text document (RTF), not a picture", "save the picture in it as a file"),
    ("<?xml", "an XML file, not a picture", "download the picture itself"),
    ("{", "a JSON file, not a picture", "download the picture itself"),
)
MOVIE_ATOMS = (b"moov", b"mdat", b"wide", b"pnot", b"skip")  # how QuickTime begins, without naming its brand
PHOTO_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"mif2", b"msf1")
HEAD = 4096  # bytes that are looked at

SUFFIX_KINDS = {  # one, several, and the endings: of files that folders leave out
    ("video", "videos"): ".mp4 .mov .m4v .avi .mkv .webm .3gp .mts .m2ts .wmv .flv .mpg .mpeg .ogv .insv",
    ("raw camera file", "raw camera files"): ".cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .orf .rw2 .raf .pef .srw"
    " .x3f .raw .rwl .3fr .iiq",
    ("PDF", "PDFs"): ".pdf",
    ("archive", "archives"): ".zip .rar .7z .tar .gz .tgz .bz2 .xz .zst",
    ("sound", "sounds"): ".mp3 .wav .m4a .aac .flac .ogg .opus",
    ("document", "documents"): ".doc .docx .odt .rtf .ppt .pptx .odp .pages .key",
    ("table", "tables"): ".csv .tsv .xls .xlsx .ods .jsonl .parquet",
    ("text", "texts"): ".txt .md .json .xml .html .htm .yaml .yml .log",
    ("sidecar", "sidecars"): ".xmp .aae .thm .lrv .pp3 .dop",
    ("picture of another format", "pictures of other formats"): ".psd .psb .xcf .svg .svgz .ai .eps .ico .icns .ppm"
    " .pgm .pbm .pnm .tga .dds .exr .hdr .qoi .jxr .wdp .bpg .flif .fits .fit .dcm .kra .afphoto .sketch",
    ("photo left in iCloud", "photos left in iCloud"): ".icloud",
}
KIND_OF_SUFFIX = {suffix: kind for kind, suffixes in SUFFIX_KINDS.items() for suffix in suffixes.split()}
OTHER = ("other file", "other files")
SPECIAL = {
    "": ("file without an ending", "files without an ending"),
    "._": ("companion file of a Mac", "companion files of a Mac"),
    os.sep: ("link to a folder", "links to folders"),
}
MOST_SUFFIXES = 3  # that are named of a kind


def what_it_is(data: bytes) -> str | None:
    """Name content that is no photo, with the cure.

    Args:
        data: The content of a file.

    Returns:
        A sentence; None for content that may be a photo, or of which nothing is known.

    Example:
        >>> what_it_is(b"version https://git-lfs.github.com/spec/v1\\noid sha256:...")
        'This is a pointer of Git LFS, not the picture; run `git lfs pull`.'
        >>> what_it_is(b"\\x89PNG\\r\\n") is None
        True
    """
    for place, signature, name, cure in BINARY:
        if data.startswith(signature, place):
            return _sentence(name, cure)
    if data.startswith(b"PK\x03\x04"):
        name = next((name for part, name in ZIP_PARTS if part in data[:HEAD]), "")
        cure = "save the picture in it as a file" if name else UNPACK
        return _sentence(f"{name or 'an archive (zip)'}, not a picture", cure)
    if (data[4:8] == b"ftyp" and data[8:12] not in PHOTO_BRANDS) or data[4:8] in MOVIE_ATOMS:
        return _sentence("a video, not a picture", STILL)
    if data[:4] in (b"II*\x00", b"MM\x00*") and exif.is_raw(data):
        return _sentence("a raw camera file", DEVELOP)
    if not data[:HEAD].strip(b"\x00") and data:
        return _sentence("a file of zeros: it was not copied whole", "copy or download it again")
    return _text(data[:HEAD])


def _sentence(name: str, cure: str) -> str:
    return f"This is {name}; {cure}."


def _text(head: bytes) -> str | None:
    """A text by how it begins."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head[: len(head) // 2 * 2].decode("utf-16", "ignore")
    else:
        try:
            text = head.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if error.start < len(head) - 3 or not error.start:  # a letter that is cut through at the end is none
                return None
            text = head[: error.start].decode("utf-8-sig")
    start = text.lstrip().lower()
    if not start or any(ord(c) < 9 for c in start):
        return None
    named = next((row for row in TEXTS if start.startswith(row[0])), None)
    if start.startswith(("<?xml", "<!--")):  # what follows says more
        named = next((row for row in TEXTS if row[0][0] == "<" and row[0] in start[1:]), named)
    return _sentence(*(named[1:] if named else ("a text file, not a picture", "give a photo")))


def ending(name: str) -> str:
    """What `left_out` counts a file by.

    Args:
        name: Of the file; with a separator behind it if it is a link to a folder.

    Example:
        >>> ending("DCIM/clip.MP4")
        '.mp4'
    """
    if name.endswith(os.sep):
        return os.sep
    base = os.path.basename(name)
    return "._" if base.startswith("._") else os.path.splitext(base)[1].lower()


def left_out(endings: Mapping[str, int]) -> list[str]:
    """Name the kinds of files that a folder leaves out.

    Args:
        endings: How many files there are of each `ending`.

    Returns:
        Counts with kinds and endings, the most frequent kind first.

    Example:
        >>> left_out(Counter(map(ending, ["a.mp4", "b.MOV", "c.pdf", "README"])))
        ['2 videos (.mov, .mp4)', '1 PDF', '1 file without an ending']
    """
    kinds: dict[tuple[str, str], Counter[str]] = {}
    for suffix, count in endings.items():
        kinds.setdefault(_kind(suffix), Counter())[suffix] += count
    ordered = sorted(kinds.items(), key=lambda item: -item[1].total())
    return [_count(kind, suffixes) for kind, suffixes in ordered]


def _kind(suffix: str) -> tuple[str, str]:
    return SPECIAL.get(suffix) or KIND_OF_SUFFIX.get(suffix, OTHER)


def _count(kind: tuple[str, str], suffixes: Counter[str]) -> str:
    number = suffixes.total()
    counted = f"{number} {kind[number != 1]}"
    endings = sorted(suffixes)
    if kind in SPECIAL.values() or endings == [f".{kind[0].lower()}"]:
        return counted
    return f"{counted} ({', '.join(endings[:MOST_SUFFIXES])}{', ...' * (len(endings) > MOST_SUFFIXES)})"
