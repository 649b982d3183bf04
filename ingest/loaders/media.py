"""Images and videos, registered with what their files say of them: size, date, camera, length, codec."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ExifTags, Image, ImageOps
from pymediainfo import MediaInfo, Track

from ingest.document import Document, Media, Page
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.reading import Reading

# Checked by the header, before a pixel is decoded; the largest cameras of phones take 108 million.
MAX_PIXELS = 120_000_000
MAX_FRAMES = 2000
# Text that a person could read on a page is large enough in so many pixels.
MAX_OCR_SIDE = 2500
# Decoders for these only: Pillow knows many formats that nobody has looked at for years.
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP")
# A scan in TIFF has a page a frame; the frames of the others are an animation.
_PAGED_FORMAT = "TIFF"
# What Pillow raises for damaged files, each from another of its decoders.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError),
    *(EOFError, RuntimeError, OverflowError, struct.error, zlib.error),
)


def load_image(path: Path, reading: Reading | None = None) -> Document:
    """An image with its format, size in pixels, date and camera; a page for each of the pages of a scan in TIFF.

    A page measures a point a pixel, as the image is displayed. Raises `UnreadableFileError` for a damaged image and
    for one that is too large to be decoded.
    """
    reading = reading or Reading()
    content = path.read_bytes()
    with _decoding(), Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        kind = (image.format or "").replace("MPO", "JPEG")  # A photograph with a second one behind it.
        frames = getattr(image, "n_frames", 1) if kind == _PAGED_FORMAT else 1
        if frames > MAX_FRAMES:
            raise UnreadableFileError(f"The image has {frames} pages; at most {MAX_FRAMES} are read. Split it.")
        facts = [("format", kind), *_exif_facts(image.getexif())]
        pages: list[Page] = []
        for number in range(1, frames + 1):
            label = str(number) if frames > 1 else ""
            reading.on_page(number, frames)
            if number in reading.skip_pages:
                pages.append(Page(number, label, (), problem=reading.skip_pages[number]))
                continue
            image.seek(number - 1)
            pages.append(_image_page(image, number, label, ocr=reading.config.ocr))
    facts[1:1] = [
        (name, f"{size:.0f}") for name, size in (("width", pages[0].width), ("height", pages[0].height)) if size
    ]
    return Document("", tuple(pages), media=Media("image", tuple(facts)))


@contextmanager
def _decoding() -> Iterator[None]:
    """Damage and bombs as sentences; Pillow's warnings of both are not shown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError as error:
        raise UnreadableFileError(f"The image has more than {MAX_PIXELS} pixels. Save it smaller.") from error
    except _DAMAGE as error:
        raise UnreadableFileError("The image is damaged. Save it anew with a program that can open it.") from error


def _image_page(image: Image.Image, number: int, label: str, *, ocr: bool) -> Page:
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableFileError(
            f"The image has {image.width} x {image.height} pixels; at most {MAX_PIXELS} are decoded. Save it smaller."
        )
    upright = ImageOps.exif_transpose(image)  # Decodes it, so that damage is found now.
    size = float(upright.width), float(upright.height)
    if not ocr:
        return Page(number, label, (), *size)
    from ingest.loaders.ocr import recognise_image

    upright.thumbnail((MAX_OCR_SIDE, MAX_OCR_SIDE))
    blocks, how = recognise_image(upright, *size) or ((), None)
    return Page(number, label, blocks, *size, ocr=how)


def _exif_facts(exif: Image.Exif) -> Iterator[tuple[str, str]]:
    taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    if isinstance(taken, str) and (date := _clean(taken)):
        day, _, time = date.partition(" ")
        yield "date", f"{day.replace(':', '-')} {time}".strip()
    names = (exif.get(tag) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    maker, model = (_clean(name) if isinstance(name, str) else "" for name in names)
    if camera := model if model.startswith(maker) else f"{maker} {model}".strip():
        yield "camera", camera


def _clean(value: str) -> str:
    return " ".join("".join(filter(str.isprintable, value)).split())


def load_video(path: Path, reading: Reading | None = None) -> Document:
    """A video with its format, size in pixels, length, codec, frames a second and date, without decoding it.

    Of several tracks the one with the largest picture counts. The title is that of its metadata. Announced as one
    page, because a damaged header can take minutes. Raises `UnreadableFileError` where no picture is found.
    """
    reading = reading or Reading()
    reading.on_page(1, 1)
    if 1 in reading.skip_pages:
        return Document("", (Page(1, "", (), problem=reading.skip_pages[1]),), media=Media("video", ()))
    with path.open("rb") as file:  # As a stream, so that no other file is looked for beside it.
        info = MediaInfo.parse(file, parse_speed=0)
    tracks = [track for track in info.video_tracks if track.width and track.height]
    if not tracks or not info.general_tracks:
        raise UnreadableFileError("No video is found in the file: it is damaged or holds sound only.")
    general, track = info.general_tracks[0], max(tracks, key=lambda track: track.width * track.height)
    width, height = _displayed_size(track)
    facts = {
        "format": general.format,
        "width": width,
        "height": height,
        "duration": _duration(general.duration or track.duration),
        "codec": track.format,
        "frame rate": track.frame_rate,
        "date": general.encoded_date or general.recorded_date,
    }
    known = tuple((name, _clean(str(value))) for name, value in facts.items() if value)
    page = Page(1, "", (), float(width), float(height))
    return Document(_clean(general.title or ""), (page,), media=Media("video", known))


def _displayed_size(track: Track) -> tuple[int, int]:
    turned = str(track.rotation or "").split(".")[0] in ("90", "270")
    return (track.height, track.width) if turned else (track.width, track.height)


def _duration(milliseconds: str | float | None) -> str:
    """Hours, minutes and seconds: "1:02:05.0", "0:39.9"; "" where it is not known."""
    if not milliseconds:
        return ""
    minutes, seconds = divmod(round(float(milliseconds) / 100) / 10, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{seconds:04.1f}" if hours else f"{minutes}:{seconds:04.1f}"
