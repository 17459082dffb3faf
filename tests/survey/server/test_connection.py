"""Slow and silent clients: none holds a connection for as long as it likes."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from survey.server import connection
from survey.server.run import configured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

ASK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
HEAD, ANSWER = 0.4, 1.2
#: Bytes that no buffer on the way holds.
LARGE = 50_000_000
#: Seconds a busy machine may be late.
LATE = 5.0


async def quick(_: Request) -> Response:
    return PlainTextResponse("ok")


async def slow(_: Request) -> Response:
    await asyncio.sleep(2 * HEAD)
    return PlainTextResponse("ok")


async def large(_: Request) -> Response:
    return PlainTextResponse("x" * LARGE)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD", HEAD)
    monkeypatch.setattr(connection, "ANSWER", ANSWER)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    """Run the web server as it is set up for both apps."""
    app = Starlette(
        routes=[Route("/", quick), Route("/slow", slow), Route("/large", large)]
    )
    server = uvicorn.Server(configured(app))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        task = asyncio.create_task(server.serve(sockets=[taken]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield server, taken.getsockname()[1]
        server.should_exit = True
        await task


async def ended(reader: asyncio.StreamReader) -> float:
    """Wait until the server ends a connection; gives the seconds it took."""
    begun = time.perf_counter()
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), HEAD + LATE)
    return time.perf_counter() - begun


async def answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: bytes = ASK
) -> bytes:
    writer.write(ask)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    return await reader.readexactly(2)


@pytest.mark.parametrize("sent", [b"", b"GET", ASK[:-2]])
def test_a_silent_client_is_let_go(sent: bytes) -> None:
    async def go() -> None:
        async with serving() as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            assert await ended(reader) >= HEAD / 2
            writer.close()

    asyncio.run(go())


def test_slowloris_gets_no_more_time_for_more_bytes() -> None:
    async def go() -> None:
        async with serving() as (server, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ASK[:-2])
            begun = time.perf_counter()
            while time.perf_counter() - begun < HEAD + LATE:
                await asyncio.sleep(0.05)
                if not server.server_state.connections:
                    break
                writer.write(b"x-a: b\r\n")
            assert not server.server_state.connections
            writer.close()

    asyncio.run(go())


def test_ordinary_clients_are_served_on() -> None:
    """Requests follow one another, also split, and one that takes its time."""

    async def go() -> None:
        async with serving() as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(5):
                assert await answered(reader, writer) == b"ok"
                await asyncio.sleep(HEAD / 2)
            writer.write(ASK[:20])
            await asyncio.sleep(HEAD / 4)
            assert await answered(reader, writer, ASK[20:]) == b"ok"
            taking = ASK.replace(b"/ ", b"/slow ", 1)
            assert await answered(reader, writer, taking) == b"ok"
            assert await answered(reader, writer) == b"ok"
            writer.close()

    asyncio.run(go())


def test_an_answer_may_be_fetched_slowly() -> None:
    async def go() -> None:
        async with serving() as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ASK.replace(b"/ ", b"/large ", 1))
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(2 * HEAD)
            assert len(await reader.readexactly(LARGE)) == LARGE
            writer.close()

    asyncio.run(go())


def test_whoever_does_not_read_is_let_go() -> None:
    async def go() -> None:
        async with serving() as (server, port):
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.setblocking(False)  # noqa: FBT003 - a socket's own
                loop = asyncio.get_running_loop()
                await loop.sock_connect(client, ("127.0.0.1", port))
                await loop.sock_sendall(client, ASK.replace(b"/ ", b"/large ", 1))
                begun = time.perf_counter()
                await asyncio.sleep(ANSWER / 2)
                assert server.server_state.connections
                while server.server_state.connections:
                    assert time.perf_counter() - begun < ANSWER + LATE
                    await asyncio.sleep(0.05)

    asyncio.run(go())


def test_a_thousand_silent_clients_keep_nobody_out_for_long() -> None:
    """Beyond the limit people are asked to come back, and then are served."""

    async def go() -> None:
        async with serving() as (server, port):
            server.config.limit_concurrency = 50
            held: list[Any] = [
                await asyncio.open_connection("127.0.0.1", port) for _ in range(60)
            ]
            await asyncio.sleep(HEAD + 0.2)
            until = time.perf_counter() + LATE
            while server.server_state.connections:
                assert time.perf_counter() < until
                await asyncio.sleep(0.05)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await answered(reader, writer) == b"ok"
            for _, one in [*held, (reader, writer)]:
                one.close()

    asyncio.run(go())
