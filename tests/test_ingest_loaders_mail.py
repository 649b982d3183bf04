"""Messages, as the standard library writes them and as no program should."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.document import Document
from ingest.loaders import mail
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.mail import load_eml

Read = Callable[[EmailMessage | bytes], Document]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def _read(message: EmailMessage | bytes) -> Document:
        (tmp_path / "a.eml").write_bytes(message if isinstance(message, bytes) else message.as_bytes())
        return load_eml(tmp_path / "a.eml")

    return _read


def message(subject: str = "Öl wechseln", body: str = "Drain the oil.\n\nWait.") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Ann Ö <ann@x.de>", "bob@x.de", subject
    made["Date"] = "Fri, 21 Nov 2025 10:00:00 +0100"
    made.set_content(body)
    return made


def texts(document: Document) -> list[str]:
    return [block.text for block in document.pages[0].blocks]


def test_fields_stand_before_the_body_and_the_subject_is_the_title(read: Read) -> None:
    document = read(message())

    assert document.title == "Öl wechseln"
    assert texts(document) == [
        "From: Ann Ö <ann@x.de>\nTo: bob@x.de\nDate: Fri, 21 Nov 2025 10:00:00 +0100\nSubject: Öl wechseln",
        "Drain the oil.",
        "Wait.",
    ]


def test_text_is_preferred_to_html_unless_it_is_blank(read: Read) -> None:
    both, blank = message(), message(body=" \n")
    for made in (both, blank):
        made.add_alternative("<p>Drain <b>it</b>.</p><style>p {}</style>", subtype="html")

    assert texts(read(both))[1:] == ["Drain the oil.", "Wait."]
    assert texts(read(blank))[1:] == ["Drain it."]


def test_attachments_are_files_of_their_own(read: Read) -> None:
    made = message()
    made.add_alternative("<p>x</p>", subtype="html")
    made.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="../../Größe.pdf")
    made.add_attachment("a,b", subtype="csv", filename="a.csv")
    made.add_attachment("c,d", subtype="csv", filename="A.csv")
    made.add_attachment(message(subject="Re: Öl", body="Done."))

    document = read(made)

    assert [(file.name, file.content[:4]) for file in document.attachments] == [
        ("Größe.pdf", b"%PDF"),
        ("a.csv", b"a,b\n"),
        ("A (2).csv", b"c,d\n"),
        ("Re Öl.eml", b"From"),
    ]
    assert texts(read(document.attachments[3].content))[1:] == ["Done."]
    assert texts(document)[1:] == ["Drain the oil.", "Wait."]


def test_pictures_of_the_body_and_signatures_are_no_attachments(read: Read) -> None:
    made = message()
    made.add_attachment(b"x", maintype="image", subtype="png", filename="logo.png", disposition="inline", cid="<1>")
    made.add_attachment(b"x", maintype="application", subtype="pgp-signature", filename="signature.asc")

    assert read(made).attachments == ()


@pytest.mark.parametrize(
    ("fields", "body", "expected"),
    [
        (b"Subject: \xc4\xee\xe3\xee\xe2\xee\xf0 \xef\xee\xf1\xf2\xe0\xe2\xea\xe8", b"", "Договор поставки"),
        (b"Subject: =?koi8-r?B?5M/Hz9fP0g==?=", b"", "Договор"),
        (b"Subject: =?nonsense?B?5M?= x", b"", "=?nonsense?B?5M?= x"),
        (b"Content-Type: text/plain; charset=shift_jis\nSubject: a", "油量の確認".encode("cp932"), "油量の確認"),
        (b"Content-Type: text/plain; charset=nonsense\nSubject: a", "Öl".encode(), "Öl"),
    ],
)
def test_old_and_wrong_encodings_are_read(fields: bytes, body: bytes, expected: str, read: Read) -> None:
    assert expected in "\n".join(texts(read(fields + b"\n\n" + body)))


def test_attachments_beyond_the_limits_are_named(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    made = message()
    for number in range(3):
        made.add_attachment(b"1234", maintype="application", subtype="pdf", filename=f"{number}.pdf")
    monkeypatch.setattr(mail, "MAX_ATTACHED_BYTES", 10)

    document = read(made)

    assert len(document.attachments) == 2
    assert "1 of 3 attachments" in document.pages[0].problem


def test_a_broken_message_inside_another_is_kept_as_far_as_it_can_be_read(read: Read) -> None:
    inner = b"Content-Type: multipart/alternative; boundary=B\n\nPump \xff\xfe seal\n"

    (attachment,) = read(b"Subject: outer\nContent-Type: message/rfc822\n\n" + inner).attachments

    assert b"Pump" in attachment.content
    assert b"seal" in attachment.content


def test_bottomless_messages_are_refused(read: Read) -> None:
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="B%d"\n\n--B%d\n' % (level, level) for level in range(2000)
    )

    for content in (b"From: a@b.c\n" + nested, b"From: a@b.c\nContent-Type: message/rfc822\n\n" * 2000):
        with pytest.raises(UnreadableFileError, match="too deeply"):
            read(content)


def test_too_many_parts_are_refused_before_they_are_parsed(read: Read) -> None:
    with pytest.raises(UnreadableFileError, match="too many parts"):
        read(b'From: a@b.c\nContent-Type: multipart/mixed; boundary="B"\n\n' + b"\n--B\n\n" * 60_000)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(
            [
                *(b"From: a@b.c\n", b"\n", b"--B\n", b"--B--\n", b"text \xff\xfe\n", b"=?utf-8?B?x?=", b" folded\n"),
                *(b"Content-Type: multipart/alternative; boundary=B\n", b"Content-Type: message/rfc822\n"),
                *(b"Content-Type: text/html; charset=\xff\n", b"Content-Transfer-Encoding: base64\n", b"Subject: "),
                *(b"Content-Disposition: attachment; filename*=x''%ff\n", b"Content-Type: text/plain; name*0*=a\n"),
            ]
        ),
        max_size=25,
    )
)
def test_any_message_is_read_or_refused(pieces: list[bytes], read: Read) -> None:
    with contextlib.suppress(UnreadableFileError):
        assert read(b"Subject: x\n" + b"".join(pieces)).pages
