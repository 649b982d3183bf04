"""The keyword index: BM25 over the words of `segmentation`, in Tantivy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tantivy
from llama_index.core.schema import TextNode

from ingest.errors import RagError
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

    def add(self, version: str, nodes: Sequence[TextNode]) -> None:
        """Indexes the passages of one version of a document and commits; what was there of it is replaced."""
        writer = self._index.writer(WRITER_HEAP_BYTES, 1)
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
        self._commit(writer)

    def delete_version(self, version: str) -> None:
        """Removes every passage of that version of a document and commits."""
        writer = self._index.writer(WRITER_HEAP_BYTES, 1)
        writer.delete_documents_by_term("version", version)
        self._commit(writer)

    def search(self, query: str, limit: int) -> list[tuple[str, float]]:
        """Chunk ids with their BM25 score, best first; at least one word of the query stands in each."""
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
        searcher = self._index.searcher()
        hits = searcher.search(tantivy.Query.boolean_query(any_word), limit).hits
        return [(searcher.doc(address)["chunk_id"][0], float(score)) for score, address in hits]

    def document_frequency(self, word: str) -> int:
        """In how many passages the (segmented) word stands."""
        return int(self._index.searcher().doc_freq("text", word))

    def __len__(self) -> int:
        return int(self._index.searcher().num_docs)

    def _commit(self, writer: tantivy.IndexWriter) -> None:
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
