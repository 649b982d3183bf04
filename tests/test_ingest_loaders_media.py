"""Images and videos, made here."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import Image

from ingest.document import Media
from ingest.loaders import media
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.media import load_image, load_video
from ingest.loaders.reading import Reading


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def write_avi(path: Path, frames: int = 20, rate: int = 10) -> None:
    """A film of JPEG frames, 64 x 48 pixels."""
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(picture, "JPEG")
    head = struct.pack("<14I", 1_000_000 // rate, 0, 0, 0x10, frames, 0, 1, 0, 64, 48, 0, 0, 0, 0)
    stream = b"vidsMJPG" + struct.pack("<IHHIIIIIIII4H", 0, 0, 0, 0, 1, rate, 0, frames, 0, 0, 0, 0, 0, 64, 48)
    form = struct.pack("<IiiHH4sIiiII", 40, 64, 48, 1, 24, b"MJPG", 64 * 48 * 3, 0, 0, 0, 0)
    streams = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", form))
    movie = b"".join(chunk(b"00dc", picture.getvalue()) for _ in range(frames))
    lists = chunk(b"LIST", b"hdrl" + chunk(b"avih", head) + streams) + chunk(b"LIST", b"movi" + movie)
    path.write_bytes(chunk(b"RIFF", b"AVI " + lists))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
def test_an_image_is_known_by_its_format_and_size(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "image"
    Image.new("RGB", (30, 20)).save(path, kind)

    document = load_image(path)

    assert document.title == ""
    assert document.media is not None
    assert document.media.facts == (("format", kind), ("width", "30"), ("height", "20"))
    assert [(page.label, page.blocks, page.width, page.height) for page in document.pages] == [("", (), 30.0, 20.0)]


def test_a_photograph_says_when_and_with_what_it_was_taken(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Canon\0", "EOS 5D", 6  # turned by a quarter
    exif.get_ifd(0x8769)[0x9003] = "2024:03:05 14:30:00"
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg", exif=exif)

    document = load_image(tmp_path / "a.jpg")

    assert document.media is not None
    assert dict(document.media.facts) == {
        "format": "JPEG",
        "width": "20",
        "height": "30",
        "date": "2024-03-05 14:30:00",
        "camera": "Canon EOS 5D",
    }


def test_each_frame_of_a_scan_is_a_page(tmp_path: Path) -> None:
    Image.new("1", (30, 20)).save(tmp_path / "a.tif", save_all=True, append_images=[Image.new("1", (10, 5))])

    assert [(page.label, page.width) for page in load_image(tmp_path / "a.tif").pages] == [("1", 30.0), ("2", 10.0)]


def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (30, 20)).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[16:24] = struct.pack(">II", 50_000, 50_000)
    (tmp_path / "bomb.png").write_bytes(content)
    monkeypatch.setattr(media, "MAX_PIXELS", 599)

    for name, reason in (("a.png", "30 x 20 pixels"), ("bomb.png", "pixels|damaged")):
        with pytest.raises(UnreadableFileError, match=reason):
            load_image(tmp_path / name)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
def test_an_image_without_its_end_is_damaged(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "image"
    Image.effect_noise((60, 40), 90).convert("RGB").save(path, kind)
    path.write_bytes(path.read_bytes()[:300])

    with pytest.raises(UnreadableFileError, match="damaged"):
        load_image(path)


def test_a_video_is_known_by_its_size_length_and_codec(tmp_path: Path) -> None:
    write_avi(tmp_path / "a.avi")

    document = load_video(tmp_path / "a.avi")

    assert document.media is not None
    assert document.media.facts == (
        ("format", "AVI"),
        ("width", "64"),
        ("height", "48"),
        ("duration", "0:02.0"),
        ("codec", "JPEG"),
        ("frame rate", "10.000"),
    )
    assert (document.pages[0].width, document.pages[0].height) == (64.0, 48.0)


def test_a_video_that_takes_too_long_is_still_registered(tmp_path: Path) -> None:
    write_avi(tmp_path / "a.avi")

    document = load_video(tmp_path / "a.avi", Reading(skip_pages={1: "It took too long."}))

    assert document.media == Media("video", ())
    assert document.pages[0].problem == "It took too long."


@pytest.mark.parametrize("content", [b"RIFF\0\0\0\0AVI " + b"x" * 99, b"\0\0\0\x20ftypisom" + b"\xff" * 999])
def test_a_file_without_a_picture_is_no_video(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(content)

    with pytest.raises(UnreadableFileError, match="No video"):
        load_video(tmp_path / "a.mp4")
