"""The keyword index: BM25 over the words of `segmentation`, in Tantivy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import tantivy
from llama_index.core.schema import TextNode

from ingest.errors import RagError, StorageError
from ingest.segmentation import segment

# A field's weight beside the text's.
FIELDS = {"text": 1.0, "heading": 0.6}
MAX_QUERY_WORDS = 256
WRITER_HEAP_BYTES = 64_000_000
_ANALYZER = "segmented"


class KeywordIndex:
    """Passages of one collection by their words; created empty where there is none."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("chunk_id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("version", stored=True, tokenizer_name="raw", index_option="basic")
        for name in FIELDS:
            builder.add_text_field(name, tokenizer_name=_ANALYZER, index_option="freq")
        self._schema = builder.build()
        try:
            self._index = tantivy.Index(self._schema, path=str(folder))
        except ValueError as error:
            raise RagError(
                f"The keyword index in {folder} cannot be opened ({error}). Rebuild it: rag-app ingest --rebuild PATH."
            ) from error
        # The words arrive separated by spaces; Tantivy only has to split them again.
        analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer(_ANALYZER, analyzer)

    def add(self, versions: Mapping[str, Sequence[TextNode]]) -> None:
        """Indexes the passages of these versions of documents and commits; what was there of them is replaced."""
        with self._writer() as writer:
            for version, nodes in versions.items():
                writer.delete_documents_by_term("version", version)
                for node in nodes:
                    heading = f"{node.metadata['title']} {node.metadata['section']}"
                    writer.add_document(
                        tantivy.Document(
                            chunk_id=node.node_id,
                            version=version,
                            text=" ".join(segment(node.text)),
                            heading=" ".join(segment(heading)),
                        )
                    )

    def delete_versions(self, versions: Sequence[str]) -> None:
        """Removes every passage of these versions of documents and commits."""
        with self._writer() as writer:
            for version in versions:
                writer.delete_documents_by_term("version", version)

    def search(self, query: str, limit: int, versions: Sequence[str] | None = None) -> list[tuple[str, float]]:
        """Chunk ids with their BM25 score, best first; at least one word of the query stands in each.

        Only those of these versions of documents where any are given, of all where None.
        """
        words = list(dict.fromkeys(segment(query)))[:MAX_QUERY_WORDS]
        if not words or len(self) == 0:
            return []
        any_word = [
            (
                tantivy.Occur.Should,
                tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, field, word), weight),
            )
            for word in words
            for field, weight in FIELDS.items()
        ]
        wanted = tantivy.Query.boolean_query(any_word)
        if versions is not None:
            wanted = wanted.and_must_match(self._any_of(versions))
        searcher = self._index.searcher()
        hits = searcher.search(wanted, limit).hits
        return [(searcher.doc(address)["chunk_id"][0], float(score)) for score, address in hits]

    def _any_of(self, versions: Sequence[str]) -> tantivy.Query:
        """Passages of these versions; their scores count nothing."""
        return tantivy.Query.const_score_query(
            tantivy.Query.term_set_query(self._schema, "version", list(versions)), 0.0
        )

    def document_frequency(self, word: str) -> int:
        """In how many passages the (segmented) word stands."""
        return int(self._index.searcher().doc_freq("text", word))

    def __len__(self) -> int:
        return int(self._index.searcher().num_docs)

    def versions(self) -> Counter[str]:
        """How many passages are held of each version."""
        searcher = self._index.searcher()
        hits = searcher.search(tantivy.Query.all_query(), max(1, len(self)), count=False).hits
        return Counter(searcher.doc(address)["version"][0] for _, address in hits)

    @contextmanager
    def _writer(self) -> Iterator[tantivy.IndexWriter]:
        """A writer whose work is committed at the end. Raises `StorageError` where it cannot be kept."""
        try:
            writer = self._index.writer(WRITER_HEAP_BYTES, 1)
            yield writer
            writer.commit()
            writer.wait_merging_threads()
        except ValueError as error:  # the one class of all its errors
            raise StorageError(f"The keyword index in {self._folder} cannot be written ({error}).") from error
        self._index.reload()
