"""PDFs that break whoever reads them: two pages, the second of which never ends or swells."""

from __future__ import annotations

import zlib

TEXT = "Drain the oil every week."
_RESOURCES = b"/Resources<</Font<</F 5 0 R>>/XObject<</X %d 0 R>>>>"
_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]%s/Contents %%d 0 R>>" % (_RESOURCES % 8)
_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]" + _RESOURCES


def endless_pdf(*, levels: int = 8, times: int = 12) -> bytes:
    """A page whose form holds a form several times over, and so on: `times ** levels` texts, in a few kilobytes."""
    forms = [_stream(_FORM % (9 + level), b"/X Do " * times) for level in range(levels)]
    last = _stream(_FORM % 8, b"BT /F 12 Tf 50 700 Td (ha) Tj ET")
    return _two_pages(_stream(b"", b"/X Do"), *forms, last)


def swelling_pdf(megabytes: int) -> bytes:
    """A page whose content unpacks to so much."""
    packer = zlib.compressobj(9)
    content = b"".join(packer.compress(b" " * 2**20) for _ in range(megabytes)) + packer.flush()
    return _two_pages(_stream(b"/Filter/FlateDecode", content))


def _two_pages(second: bytes, *others: bytes) -> bytes:
    good = _stream(b"", b"BT /F 12 Tf 50 700 Td (%s) Tj ET" % TEXT.encode())
    return _pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
        _PAGE % 6,
        _PAGE % 7,
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        good,
        second,
        *others,
    )


def _stream(entries: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(content), content)


def _pdf(*objects: bytes) -> bytes:
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        size,
        table,
        size,
        len(out),
    )
