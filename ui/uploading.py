"""Files on their way into the collection: the box that takes them, how far they are, and which could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ingest.errors import RagError
from ingest.loaders import SUPPORTED_SUFFIXES
from ingest.records import FileRecord
from rag_app.jobs import Job
from rag_app.library import upload_name
from ui.markup import escape_label, shorten
from ui.state import Chat, current_chat
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

# Of one upload; the server holds it in memory until it is stored.
MOST_FILES = 200
MOST_MEGABYTES = 1000
MOST_ROWS = 50
MOST_FAILURES = 20
REFRESH_SECONDS = 1.0

_STATES_BY_URGENCY = ("failed", "reading", "waiting", "done")
_NAME_LENGTH = 60


def empty_collection(assistant: Assistant, chat: Chat) -> None:
    """What a visitor sees before the first document."""
    with st.container(key="welcome"):
        st.title(say("uploading.first-title"), anchor=False)
        st.markdown(say("uploading.first-words"))
        upload(assistant, chat)
        notices(chat)
        activity(assistant, chat)
        failures(assistant)


def upload(assistant: Assistant, chat: Chat) -> None:
    """Takes several files, which are read at once; the ones that are refused are named by `notices`."""
    # A key of its own for each upload is what empties the box.
    key = f"files-{chat.uploads}"
    # Of any type: what cannot be read is refused, each file with a sentence.
    st.file_uploader(
        say("uploading.files"), accept_multiple_files=True, key=key, on_change=_take, args=(assistant, chat, key)
    )
    st.caption(say("uploading.limits", files=MOST_FILES, megabytes=MOST_MEGABYTES))


def notices(chat: Chat) -> None:
    """What the last upload, deletion or undo could not do."""
    for sentence in chat.notices:
        st.warning(escape_label(sentence))


def activity(assistant: Assistant, chat: Chat) -> None:
    """What is being read for anybody, and what became of it; refreshes itself while there is something to read."""
    st.fragment(_activity, run_every=REFRESH_SECONDS if chat.reading else None)(assistant, chat)


def short_activity(assistant: Assistant, chat: Chat) -> None:
    """The same in a line or two."""
    st.fragment(_short_activity, run_every=REFRESH_SECONDS if chat.reading else None)(assistant, chat)


def failures(assistant: Assistant) -> None:
    """The files that could not be read, each with the reason and what can be done about it."""
    failed = failed_files(assistant)
    if not failed:
        return
    with st.expander(say("uploading.failures", count=len(failed)), icon=":material/error:", key="failures"):
        if len(failed) > 1:
            st.button(
                say("uploading.retry-all"),
                icon=":material/refresh:",
                key="retry-all",
                on_click=assistant.library.jobs.retry,
                args=(failed,),
            )
        for number, file in enumerate(failed[:MOST_FAILURES]):
            with st.container(key=f"failure-{number}"):
                _failure(assistant, file)
        if len(failed) > MOST_FAILURES:
            st.caption(say("uploading.more", count=len(failed) - MOST_FAILURES))


def failed_files(assistant: Assistant) -> list[FileRecord]:
    """What failed and is not being tried again: by its own fault, as the catalog knows, or because an ingest broke."""
    jobs = {job.path: job for job in assistant.library.jobs.all()}
    files = {
        job.path: FileRecord(job.path, job.name, 0, 0, problem=job.reason)
        for job in jobs.values()
        if job.state == "failed" and job.path.is_absolute()
    }
    files.update({file.path: file for file in assistant.library.catalog.failed_files()})
    return [file for path, file in files.items() if path not in jobs or not jobs[path].active]


def jobs_html(jobs: Sequence[Job]) -> str:
    """A list of the files with their state, the failed ones first; everything escaped."""
    rows = sorted(jobs, key=lambda job: _STATES_BY_URGENCY.index(job.state))[:MOST_ROWS]
    items = "".join(
        f'<li class="{job.state}"><b>{escape(shorten(job.name, _NAME_LENGTH))}</b> '
        f"<span>{escape(state_words(job))}</span><div>{escape(job.reason)}</div></li>"
        for job in rows
    )
    more = f"<li>{escape(say('uploading.more', count=len(jobs) - MOST_ROWS))}</li>" if len(jobs) > MOST_ROWS else ""
    return f'<ul class="jobs">{items}{more}</ul>'


def state_words(job: Job) -> str:
    """Where the file is: "reading page 3 of 9", "added, 9 pages"."""
    if job.state == "reading":
        return say("uploading.page", page=job.page, pages=job.pages) if job.pages > 1 else say("uploading.reading")
    if job.report is None or job.state != "done":
        return say(f"uploading.{job.state}")
    words = [say(f"uploading.{job.report.outcome}")]
    if job.report.pages > 1:
        words.append(say("uploading.pages", count=job.report.pages))
    if job.report.ocr_pages:
        words.append(say("uploading.ocr-pages", count=job.report.ocr_pages))
    if job.report.problem_pages:
        words.append(say("uploading.problem-pages", count=job.report.problem_pages))
    return " · ".join(words)


def _take(assistant: Assistant, chat: Chat, key: str) -> None:
    chat.notices = _hand_in(assistant, st.session_state[key])
    chat.uploads += 1


def _hand_in(assistant: Assistant, files: Sequence[UploadedFile]) -> list[str]:
    """Stores and queues the files; the sentences for those that are refused."""
    megabytes = sum(file.size for file in files) / 2**20
    if len(files) > MOST_FILES or megabytes > MOST_MEGABYTES:
        sentence = say(
            "uploading.too-much",
            count=len(files),
            megabytes=round(megabytes),
            most_files=MOST_FILES,
            most_megabytes=MOST_MEGABYTES,
        )
        return [sentence]
    paths: list[Path] = []
    refused: list[str] = []
    for file in files:
        if Path(file.name).suffix.lower() not in SUPPORTED_SUFFIXES:
            refused.append(say("uploading.wrong-type", name=file.name, kinds=_kinds()))
            continue
        try:
            if upload_name(file.name) in {path.name for path in paths}:
                refused.append(say("uploading.same-name", name=file.name))
            else:
                paths.append(assistant.library.save_upload(file.name, file.getvalue()))
        except RagError as error:
            refused.append(f"{file.name}: {error}")
    assistant.library.jobs.add(paths)
    return refused


def _kinds() -> str:
    return ", ".join(sorted(suffix.removeprefix(".") for suffix in SUPPORTED_SUFFIXES))


def _activity(assistant: Assistant, chat: Chat) -> None:
    jobs = assistant.library.jobs.all()
    _draw_anew_when_done(assistant, chat)
    if not jobs:
        return
    with st.container(border=True, key="activity"):
        if assistant.library.jobs.busy:
            st.progress(_fraction(jobs), text=_count_words(jobs))
        else:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{_count_words(jobs)}**", width="stretch")
                st.button(
                    say("uploading.clear"),
                    key="clear-jobs",
                    type="tertiary",
                    on_click=assistant.library.jobs.forget_finished,
                )
        st.html(jobs_html(jobs))


def _short_activity(assistant: Assistant, chat: Chat) -> None:
    jobs = assistant.library.jobs.all()
    _draw_anew_when_done(assistant, chat)
    if assistant.library.jobs.busy:
        st.progress(_fraction(jobs), text=_count_words(jobs))
    elif failed := sum(job.state == "failed" for job in jobs):
        st.caption(say("uploading.failed-see-library", count=failed))


def _draw_anew_when_done(assistant: Assistant, chat: Chat) -> None:
    """Ends the refreshing, and shows what has come everywhere on the page."""
    if chat.reading and not assistant.library.jobs.busy:
        st.rerun()


def _fraction(jobs: Sequence[Job]) -> float:
    return sum(job.fraction for job in jobs) / len(jobs)


def _count_words(jobs: Sequence[Job]) -> str:
    active = sum(job.active for job in jobs)
    failed = sum(job.state == "failed" for job in jobs)
    words = [say("uploading.progress", done=len(jobs) - active, total=len(jobs))]
    if failed:
        words.append(say("uploading.failed-count", count=failed))
    return " · ".join(words)


def _failure(assistant: Assistant, file: FileRecord) -> None:
    st.markdown(f"**{escape_label(shorten(file.source, _NAME_LENGTH))}**  \n{escape_label(file.problem)}")
    if file.document_id:
        st.caption(say("uploading.version-before"))
    with st.container(horizontal=True):
        st.button(
            say("uploading.retry"),
            icon=":material/refresh:",
            key=f"retry-{file.path}",
            help=say("uploading.retry-help", name=escape_label(file.source)),
            type="tertiary",
            on_click=assistant.library.jobs.retry,
            args=([file],),
        )
        if not file.document_id:
            st.button(
                say("uploading.forget"),
                icon=":material/close:",
                key=f"forget-{file.path}",
                help=say("uploading.forget-help", name=escape_label(file.source)),
                type="tertiary",
                on_click=_forget,
                args=(assistant, file.path),
            )


def _forget(assistant: Assistant, path: Path) -> None:
    try:
        assistant.library.forget_failed(path)
    except RagError as error:
        current_chat().notices = [str(error)]
    else:
        assistant.library.jobs.forget(path)
