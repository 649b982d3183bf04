"""The cookie that tells whose chats are whose."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from rag_app.visitors import COOKIE, VisitorCookie, visitor_of

PAGE = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/", lambda request: PlainTextResponse("Hello."))]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(VisitorCookie)]))


def test_a_browser_gets_a_name_that_scripts_and_other_sites_do_not_see(client: TestClient) -> None:
    sent = client.get("/", headers=PAGE).headers["set-cookie"]

    assert visitor_of(client.cookies[COOKIE])
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(sent.split("; "))
    assert "Secure" not in sent


def test_over_https_the_name_never_travels_in_the_clear(client: TestClient) -> None:
    client.base_url = "https://testserver"

    assert "Secure" in client.get("/", headers=PAGE).headers["set-cookie"].split("; ")


def test_a_browser_keeps_its_name(client: TestClient) -> None:
    client.get("/", headers=PAGE)
    name = client.cookies[COOKIE]
    client.get("/", headers=PAGE)

    assert client.cookies[COOKIE] == name


def test_two_browsers_have_two_names(client: TestClient) -> None:
    client.get("/", headers=PAGE)
    name = client.cookies[COOKIE]
    client.cookies.clear()
    client.get("/", headers=PAGE)

    assert client.cookies[COOKIE] != name


def test_programs_get_none(client: TestClient) -> None:
    assert "set-cookie" not in client.get("/", headers={"accept": "application/json"}).headers


@pytest.mark.parametrize("sent", ["short", "x" * 500, "a b", '"', "../../etc/passwd", "é" * 24])
def test_a_name_that_was_not_made_here_is_replaced(client: TestClient, sent: str) -> None:
    cookie = f"{COOKIE}={sent}".encode()
    made = client.get("/", headers={**PAGE, "cookie": cookie}).headers["set-cookie"]

    assert visitor_of(made.partition("=")[2].partition(";")[0])
    assert f"={sent};" not in made
    assert visitor_of(sent) == ""
