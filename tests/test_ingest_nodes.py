"""Chunks as LlamaIndex nodes."""

from __future__ import annotations

import json
from dataclasses import replace

from llama_index.core.schema import MetadataMode
from records import document

from ingest.chunking import Chunk
from ingest.nodes import MAX_HEADING_CHARACTERS, NodeMetadata, embedded_text, node_boxes, node_from_chunk

RECORD = document("d1", "/docs/p.pdf")
CHUNK = Chunk("Clean the cooler.", 3, "iii", "4 Faults > E07", "text", ((3, 72.04, 100.0, 500.26, 112.0),), ((0, 17),))


def test_a_node_has_the_whole_vocabulary_and_nothing_else() -> None:
    node = node_from_chunk(CHUNK, 5, RECORD)

    assert set(node.metadata) == set(NodeMetadata.__annotations__)
    assert all(isinstance(value, (str, int, float, bool)) for value in node.metadata.values())
    assert (node.metadata["page"], node.metadata["page_label"], node.metadata["position"]) == (3, "iii", 5)


def test_title_and_section_are_embedded_but_never_quoted() -> None:
    node = node_from_chunk(CHUNK, 5, RECORD)

    assert embedded_text(node) == "Press HP-40\n4 Faults > E07\n\nClean the cooler."
    assert node.get_content(MetadataMode.NONE) == "Clean the cooler."


def test_boxes_come_back_as_tuples_rounded_to_a_tenth_of_a_point() -> None:
    boxes, spans = node_boxes(node_from_chunk(CHUNK, 5, RECORD).metadata)

    assert boxes == ((3, 72.0, 100.0, 500.3, 112.0),)
    assert spans == ((0, 17),)
    assert node_boxes({"boxes": json.dumps([]), "box_spans": "[]"}) == ((), ())


def test_clauses_definitions_and_references_are_json_lists() -> None:
    text = '"Fee" means the fee under Section 5 and this Section 12.3. 见附件一。'

    metadata = node_from_chunk(replace(CHUNK, text=text, clauses=("12.3", "12.3(b)")), 5, RECORD).metadata

    assert json.loads(metadata["clauses"]) == ["12.3", "12.3(b)"]
    assert json.loads(metadata["defines"]) == ["Fee"]
    assert json.loads(metadata["refers_to"]) == [
        {"kind": "clause", "target": "5"},
        {"kind": "attachment", "target": "附件1"},
    ]


def test_the_clauses_that_a_passage_amends_are_a_json_list() -> None:
    metadata = node_from_chunk(replace(CHUNK, text="Clause 9.1 of the Agreement is deleted."), 5, RECORD).metadata

    assert json.loads(metadata["amends"]) == ["9.1"]
    assert node_from_chunk(CHUNK, 5, RECORD).metadata["amends"] == "[]"


def test_a_passage_says_whether_its_text_was_recognised_and_how_surely() -> None:
    printed = node_from_chunk(CHUNK, 5, RECORD).metadata
    scanned = node_from_chunk(replace(CHUNK, ocr=0.87654), 5, RECORD).metadata

    assert (printed["ocr"], printed["ocr_confidence"]) == (False, 1.0)
    assert (scanned["ocr"], scanned["ocr_confidence"]) == (True, 0.877)


def test_ids_depend_on_version_and_place_alone() -> None:
    node = node_from_chunk(CHUNK, 5, RECORD)

    assert node.node_id == node_from_chunk(CHUNK, 5, replace(RECORD, title="Other", chunks=9)).node_id
    assert node.node_id != node_from_chunk(CHUNK, 6, RECORD).node_id
    assert node.node_id != node_from_chunk(CHUNK, 5, replace(RECORD, version="d1-2")).node_id


def test_very_long_headings_keep_their_deepest_end() -> None:
    section = "x" * 500 + " > E07"

    node = node_from_chunk(replace(CHUNK, section=section), 5, replace(RECORD, title="T" * 500))

    assert len(node.metadata["title"]) == len(node.metadata["section"]) == MAX_HEADING_CHARACTERS
    assert node.metadata["section"].endswith("> E07")
