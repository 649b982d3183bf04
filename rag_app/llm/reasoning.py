"""Reasoning told apart from the answer: `<think>` tags, found however a reply is cut into pieces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

_REASONING_TAG = re.compile(r"<(/?)(?:think|thinking|reasoning)>")
# The end of a text that may become a tag when more text follows.
_TAG_BEGINNING = re.compile(r"</?[a-z]{0,9}\Z")


class ReasoningSplitter:
    """Keeps reasoning out of one reply; `began_inside` tells afterwards whether the reply began within it.

    What is kept out goes to `on_reasoning`, piece by piece.
    """

    def __init__(self, *, begins_inside: bool | None, on_reasoning: Callable[[str], object] | None = None) -> None:
        self.began_inside = begins_inside
        self._inside = begins_inside is True
        self._opened = False
        self._on_reasoning = on_reasoning or (lambda _: None)

    def visible(self, pieces: Iterable[str]) -> Iterator[str]:
        """What stands outside the tags. With `begins_inside` None nothing comes before a tag or the end decides."""
        waiting = ""
        for piece in pieces:
            waiting += piece
            while tag := _REASONING_TAG.search(waiting):
                before, waiting = waiting[: tag.start()], waiting[tag.end() :]
                if self._shows_before(closing=bool(tag.group(1))):
                    yield before
                else:
                    self._on_reasoning(before)
            if self.began_inside is None:
                continue
            beginning = _TAG_BEGINNING.search(waiting)
            decided = beginning.start() if beginning else len(waiting)
            if self._inside:
                self._on_reasoning(waiting[:decided])
            else:
                yield waiting[:decided]
            waiting = waiting[decided:]
        if self._inside:
            self._on_reasoning(waiting)
        else:
            yield waiting
        if self._inside and not self._opened:
            # Reasoning that never ends, or a model that reasons only sometimes: learn again.
            self.began_inside = None
        elif self.began_inside is None:
            self.began_inside = False

    def _shows_before(self, *, closing: bool) -> bool:
        """Takes note of a tag; says whether the text since the last one is part of the answer."""
        shows = not self._inside
        if closing and not self._opened:
            self.began_inside = True
            shows = False
        if not closing and self.began_inside is None:
            self.began_inside = False
        self._opened = True
        self._inside = not closing
        return shows
