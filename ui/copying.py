"""A button that copies a text. Browsers allow that to a script in the page alone, so this is one."""

from __future__ import annotations

from functools import cache

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.text import say

_HTML = '<button type="button"><span class="icon" aria-hidden="true"></span><span class="label"></span></button>'

_CSS = """
button { font: inherit; font-size: .88rem; line-height: 1.6; padding: .3rem 0; cursor: pointer; color: inherit;
  background: transparent; border: 0; border-radius: var(--st-button-radius); white-space: nowrap; opacity: .8; }
button:hover { color: var(--st-primary-color); opacity: 1; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.icon { display: inline-block; width: .55rem; height: .7rem; margin-right: .65rem; vertical-align: -.1rem;
  border: 1.5px solid currentColor; border-radius: .15rem; box-shadow: .22rem -.22rem 0 -1px var(--st-background-color),
  .22rem -.22rem 0 .5px currentColor; }
"""

# The text comes as data and is never read as HTML. Without https only this machine's own pages have a clipboard;
# elsewhere the older way by a selection does it.
_SCRIPT = """
export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  const label = button.querySelector(".label");
  label.textContent = data.label;
  label.setAttribute("aria-live", "polite");
  button.onclick = async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(data.text);
    } catch {
      const area = document.createElement("textarea");
      area.value = data.text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    label.textContent = done ? data.done : data.failed;
    setTimeout(() => { label.textContent = data.label; }, 2000);
  };
}
"""


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("copy_button", html=_HTML, css=_CSS, js=_SCRIPT)


def copy_button(text: str, key: str) -> None:
    """Draws the button."""
    words = {"label": say("copying.copy"), "done": say("copying.done"), "failed": say("copying.failed")}
    _component()(key=key, data={"text": text, **words}, width="content")
