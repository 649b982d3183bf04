"""The chat and the HTTP API in one process, over one assistant.

`listen` takes the port before any model is loaded, so that a taken port is known at once; `serve` then blocks.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import RagError

if TYPE_CHECKING:
    from streamlit import App

    from rag_app.assistant import Assistant

SCRIPT = Path(__file__).resolve().parent.parent / "streamlit_app.py"

# Open chats hold a websocket; Ctrl-C does not wait for them longer than this.
_SHUTDOWN_SECONDS = 3

_logger = logging.getLogger(__name__)

# Streamlit runs its script by path and hands it nothing, so the one assistant of the process is found here.
_served: Assistant | None = None


def served_assistant() -> Assistant:
    """The assistant that this process serves. Raises `RagError` where it serves none."""
    if _served is None:
        raise RagError("No assistant is being served in this process. Start the chat with 'rag-app serve'.")
    return _served


def listen(host: str = "127.0.0.1", port: int = 8501) -> socket.socket:
    """A socket bound to this address, which must be one of this machine; port 0 takes a free one.

    Raises `RagError` where the address cannot be had.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RagError(
                f"Port {port} on {host} is already in use. Stop the program that uses it, or choose another port."
            ) from error
        if error.errno == errno.EACCES:
            raise RagError(f"Port {port} on {host} is reserved by the system. Choose a port above 1023.") from error
        raise RagError(f"Cannot listen on {host}, port {port}: {error.strerror}. Check the address.") from error


def serve(assistant: Assistant, listener: socket.socket) -> None:
    """Serves the chat at / and the API at /api on `listener` until the process is told to stop."""
    global _served
    import uvicorn

    _served = assistant
    assistant.library.jobs.resume()
    config = uvicorn.Config(
        _create_app(local_only=_is_loopback(listener)),
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    # Ctrl-C or a polite kill is how serving ends: uvicorn shuts down first and raises it again afterwards. What is
    # being read is then stopped by whoever has opened the assistant.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _create_app(*, local_only: bool) -> App:
    """The ASGI application; one in a process, because Streamlit keeps its runtime in a global.

    With `local_only`, requests for any other host name are refused: otherwise a web page whose name is made to
    point at this machine could read the documents through the visitor's browser.
    """
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.routing import Mount
    from streamlit import App

    from rag_app.api import create_api
    from rag_app.visitors import VisitorCookie

    local = Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "[::1]"])
    return App(
        SCRIPT,
        routes=[Mount("/api", create_api(served_assistant))],
        middleware=[*([local] if local_only else []), Middleware(VisitorCookie)],
        on_script_error=_log_and_apologise,
    )


def _log_and_apologise(error: Exception) -> bool:
    """Shows a sentence for what no page has caught; True tells Streamlit to show nothing of its own."""
    import streamlit

    _logger.error("The chat page failed.", exc_info=error)
    streamlit.error("Something went wrong on this page. The log of the server says what; reload the page to go on.")
    return True


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback
