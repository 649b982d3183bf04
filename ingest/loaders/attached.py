"""What files inside files have in common, whatever they came in: limits and safe names."""

from __future__ import annotations

MAX_ATTACHMENTS = 200
MAX_ATTACHED_BYTES = 256 * 2**20
MAX_NAME_CHARACTERS = 120
MAX_SUFFIX_CHARACTERS = 20


def safe_name(name: str, otherwise: str = "attachment") -> str:
    """A file name without folders, control characters and leading dots; `otherwise` where nothing is left."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(character for character in base if character.isprintable() and character not in '<>:"|?*')
    stem, dot, suffix = printable.strip().lstrip(".").rpartition(".")
    ending = f"{dot}{suffix}"[:MAX_SUFFIX_CHARACTERS]
    return f"{stem[: MAX_NAME_CHARACTERS - len(ending)]}{ending}" or otherwise
