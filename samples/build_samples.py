"""Build the sample documents from the texts in `sources/`: `python samples/build_samples.py`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sources.markup import parse
from sources.pdf import CHINESE, CONTRACT, MANUAL, Look, write_pdf
from sources.word import write_docx

HERE = Path(__file__).parent
SOURCES = HERE / "sources"
NORRHOLT, KAITENG = "Norrholt Presswerk AB", "江州凯腾机械有限公司"


def main() -> None:
    for model in ("hp-40", "hp-60"):
        manual(f"{model}-service-manual.pdf", "press-manual", model, MANUAL)
    manual("kt-200-手册.pdf", "kt-200", "kt-200", CHINESE)
    for name, title, footer in (
        ("mutual-nda", "Mutual Non-Disclosure Agreement", "Mutual NDA, Norrholt and Teravuo, 3 February 2025"),
        (
            "purchase-agreement-amendment-1",
            "Amendment No. 1 to Purchase Agreement CVF-2025-017",
            "Amendment No. 1 to Purchase Agreement CVF-2025-017",
        ),
    ):
        values = {"pdf_title": title, "maker": NORRHOLT, "lang": "en", "footer": footer}
        write_pdf(HERE / f"{name}.pdf", parse(source(name), values), values, CONTRACT)
    contract("purchase-agreement", "Purchase Agreement No. CVF-2025-017", "en", "2025-03-14")
    contract("设备采购合同", "设备采购合同 YL-2025-0318", "zh", "2025-03-18")


def source(name: str) -> str:
    return (SOURCES / f"{name}.tmpl").read_text(encoding="utf-8")


def manual(file: str, template: str, model: str, look: Look) -> None:
    """A manual from a template and the values of one model: twins share the template."""
    values = tomllib.loads((SOURCES / f"{model}.toml").read_text(encoding="utf-8"))
    values = {key: value.strip() for key, value in values.items()}
    values["pdf_title"] = f"{values['title']} {values['kind']}"
    values["footer"] = f"{values['document_number']}   {values['edition']}"
    write_pdf(HERE / file, parse(source(template), values), values, look)


def contract(name: str, title: str, lang: str, date: str) -> None:
    maker, font = (NORRHOLT, "Times New Roman") if lang == "en" else (KAITENG, "SimSun")
    values = {"pdf_title": title, "maker": maker, "lang": lang, "date": date, "font": font, "footer": title}
    write_docx(HERE / f"{name}.docx", parse(source(name), values), values)


if __name__ == "__main__":
    main()
