"""The script that Streamlit runs for every click. It lies here so that the folder of all packages leads the path."""

from __future__ import annotations

from rag_app.serve import served_assistant
from ui.app import main

main(served_assistant)
