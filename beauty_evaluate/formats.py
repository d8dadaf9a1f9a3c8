"""Which formats are read, how they are told by content, and what their files are called in a folder."""

from beauty_evaluate.errors import PhotoError
from beauty_evaluate.kinds import what_it_is

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo"),
    *(".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"),
    *(".avif", ".avifs", ".heic", ".heif", ".heics", ".heifs", ".hif"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".jxl"),
)
SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"\x00\x00\x00\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
    b"\x00\x00\x00\x0cJXL \r\n\x87\n": "JXL",
    b"\xff\x0a": "JXL",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
}
TITLES = {"WEBP": "WebP", "HEIF": "HEIC", "JPEG2000": "JPEG 2000", "JXL": "JPEG XL"}  # where they differ from the name
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"mif2", b"msf1")  # bytes 8 to 11
AVIF_BRANDS = (b"avif", b"avis", b"mif1", b"mif2", b"msf1")


def format_of(data: bytes) -> str:
    """Tell the format of a photo by its content, never by its name.

    Args:
        data: The content of a file.

    Returns:
        `JPEG`, `PNG`, `BMP`, `WEBP`, `GIF`, `TIFF`, `AVIF`, `HEIF`, `JPEG2000` or `JXL`.

    Raises:
        PhotoError: With status `unreadable` for any other content, which it names as far as it is known.

    Example:
        >>> format_of(b"GIF89a")
        'GIF'
        >>> format_of(b"%PDF-1.7")
        Traceback (most recent call last):
        beauty_evaluate.errors.PhotoError: This is a PDF, not a picture; save its page as JPEG or PNG.
    """
    name = picture_format(data)
    sentence = what_it_is(data) if name in (None, "TIFF") else None  # camera files begin as TIFF does
    if name and sentence is None:
        return name
    raise PhotoError(
        "unreadable",
        sentence or "Not a JPEG, PNG, WebP, AVIF, HEIC, TIFF, GIF, BMP or JPEG 2000 picture; convert it to JPEG.",
    )


def picture_format(head: bytes) -> str | None:
    """The format that the first bytes of a file promise, as `format_of`; None for any other content.

    Example:
        >>> picture_format(b"RIFF....WEBPVP8 ")
        'WEBP'
    """
    for signature, name in SIGNATURES.items():
        if head.startswith(signature):
            return name
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "BMP"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] != b"ftyp":
        return None
    if head[8:12] in HEIF_BRANDS and not _lists_avif(head):
        return "HEIF"
    return "AVIF" if head[8:12] in AVIF_BRANDS else None


def suffix(head: bytes) -> str:
    """What the name of a photo ends with, by its content; "" for what is no picture.

    Example:
        >>> suffix(b"GIF89a")
        '.gif'
    """
    name = picture_format(head)
    return {None: "", "JPEG": ".jpg", "TIFF": ".tif", "HEIF": ".heic", "JPEG2000": ".jp2"}.get(name, f".{name}".lower())


def _lists_avif(head: bytes) -> bool:
    """Whether AVIF is among its further brands. Some programs give AVIF the first brand that it shares with HEIC."""
    others = head[16 : min(int.from_bytes(head[:4], "big"), 256)]
    shared = (b"mif1", b"mif2", b"msf1")
    return head[8:12] in shared and b"avif" in [others[i : i + 4] for i in range(0, len(others), 4)]


def title(name: str) -> str:
    """What people call a format.

    Example:
        >>> title("JPEG2000")
        'JPEG 2000'
    """
    return TITLES.get(name, name)
