"""A collection kept in step with folders while they change."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import watchfiles

# Events are lost on network drives and when very many come at once: a sweep finds what they have not told.
SWEEP_SECONDS = 300.0
# A file that is being copied is read when nothing has changed for so long.
QUIET_MILLISECONDS = 800


def changes(
    paths: Sequence[Path],
    stop: threading.Event,
    *,
    leave_out: Sequence[Path] = (),
    sweep_seconds: float = SWEEP_SECONDS,
) -> Iterator[None]:
    """Yields whenever something below `paths` has changed, and after `sweep_seconds` without a change; until `stop`.

    Changes at or below `leave_out` are none: an ingest would wake itself.
    """
    watched = watchfiles.watch(
        *(path.expanduser().resolve() for path in paths),
        watch_filter=watchfiles.DefaultFilter(ignore_paths=[path.expanduser().resolve() for path in leave_out]),
        step=QUIET_MILLISECONDS,
        stop_event=stop,
        rust_timeout=round(sweep_seconds * 1000),
        yield_on_timeout=True,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    for _ in watched:
        yield
