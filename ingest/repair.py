"""Whether catalog, vectors and keyword index agree passage by passage, and how they are brought to agree again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from llama_index.core.schema import TextNode

from ingest.collection import Collection
from ingest.records import DocumentRecord

LOST = "Its passages were lost from the index; it waits to be read again."


@dataclass(frozen=True, slots=True)
class Damage:
    """What does not agree: versions in an index that no document has, and documents that an index holds in part.

    `orphans` may also be what a crash has left; the next ingest removes that by itself.
    """

    orphans: tuple[str, ...]
    without_words: tuple[DocumentRecord, ...]
    without_vectors: tuple[DocumentRecord, ...]

    def __bool__(self) -> bool:
        return bool(self.orphans or self.without_words or self.without_vectors)

    def sentences(self) -> Iterator[str]:
        """What is wrong, a sentence for each kind."""
        if self.orphans:
            yield f"The indexes hold passages of {len(self.orphans)} versions that no document has."
        for records, index in ((self.without_words, "keyword"), (self.without_vectors, "vector")):
            if records:
                yield f"The {index} index holds not all passages of {len(records)} documents: {_named(records)}."


def find_damage(collection: Collection) -> Damage:
    """Compares the two indexes with the catalog; reads every passage's metadata once."""
    records = {record.version: record for record in collection.catalog.documents(hidden=True)}
    vectors, words = collection.vectors.versions(), collection.keywords.versions()
    return Damage(
        orphans=tuple(sorted((vectors.keys() | words.keys() | set(collection.catalog.stale())) - records.keys())),
        without_words=_differing(records.values(), words),
        without_vectors=_differing(records.values(), vectors),
    )


def repair(collection: Collection) -> list[str]:
    """Mends what `find_damage` finds; what was done, in sentences, empty where there was nothing to do.

    Orphans are deleted. Words are made again from the passages that the vector index holds. A document whose vectors
    are not whole is hidden and waits to be read again: half of a document is worse than none.
    """
    damage = find_damage(collection)
    done: list[str] = []
    if damage.without_vectors:
        files = [
            replace(file.unread(), document_id=None, problem=LOST)
            for record in damage.without_vectors
            for file in record.files
        ]
        collection.catalog.put_files(files)
        done.append(
            f"Hid {len(damage.without_vectors)} documents that were not whole: {_named(damage.without_vectors)}. "
            "Read them again: rag-app ingest PATH."
        )
    mendable = [record for record in damage.without_words if record not in damage.without_vectors]
    if mendable:
        passages = {record.version: collection.vectors.get_version(record.version) for record in mendable}
        collection.keywords.add(cast(dict[str, list[TextNode]], passages))
        done.append(f"Made the words of {len(mendable)} documents again: {_named(mendable)}.")
    if damage.orphans:
        collection.catalog.begin(damage.orphans)  # noted as stale, they go with the sweep
        done.append(f"Deleted the passages of {len(damage.orphans)} versions that no document has.")
    collection.sweep()
    return done


def _differing(records: Iterable[DocumentRecord], counts: Counter[str]) -> tuple[DocumentRecord, ...]:
    return tuple(record for record in records if counts[record.version] != record.chunks)


def _named(records: Sequence[DocumentRecord]) -> str:
    names = [record.source for record in records[:3]]
    return ", ".join(names) + (", ..." if len(records) > len(names) else "")
