"""A TCP proxy that breaks connections: it cuts, resets, stalls, delays them or alters a byte.

Example::

    with FaultProxy("127.0.0.1", github.port) as proxy:
        proxy.cut(after=100_000)  # the next connection, after that many bytes, headers included
        git clone {proxy.url}/acme/one.git
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

PIECE = 1 << 16
LONGEST_STALL = 60.0
Direction = Literal["down", "up"]  # from the server to the client; from the client to the server
Kind = Literal["cut", "reset", "stall", "alter"]
DIRECTIONS: tuple[Direction, ...] = ("down", "up")
KINDS: tuple[Kind, ...] = ("cut", "reset", "stall", "alter")


@dataclass(frozen=True, slots=True)
class Break:
    """What happens to one connection: at byte `after` of a direction's stream a `kind`; `latency` a piece."""

    kind: Kind | None = None
    after: int = 0
    direction: Direction = "down"
    latency: float = 0.0


class EndError(Exception):
    """A connection ends here."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.kind = kind


class FaultProxy:
    """A proxy on a loopback port in a thread of its own; without a fault it hands everything on unchanged."""

    def __init__(self, target_host: str, target_port: int, longest_stall: float = LONGEST_STALL) -> None:
        self.target = (target_host, target_port)
        self.longest_stall = longest_stall
        self.connections = 0
        self.broken = 0
        self._planned: deque[Break | None] = deque()
        self._latency = 0.0
        self._lock = threading.Lock()
        self._open: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    # -- faults for the next connections, in the order they are set

    def cut(self, after: int = 0, direction: Direction = "down", connections: int = 1) -> None:
        """End the next connections after that many bytes, as a server that went away does (FIN)."""
        self.plan(Break("cut", after, direction), connections)

    def reset(self, after: int = 0, direction: Direction = "down", connections: int = 1) -> None:
        """End the next connections by RST."""
        self.plan(Break("reset", after, direction), connections)

    def black_hole(self, after: int = 0, direction: Direction = "down", connections: int = 1) -> None:
        """Hand nothing on after that many bytes, and stay open for `longest_stall` seconds at most."""
        self.plan(Break("stall", after, direction), connections)

    def alter(self, offset: int, direction: Direction = "down", connections: int = 1) -> None:
        """Flip all bits of the byte at `offset` of the next connections' streams."""
        self.plan(Break("alter", offset, direction), connections)

    def delay(self, seconds: float) -> None:
        """Delay each piece of every further connection."""
        with self._lock:
            self._latency = seconds

    def pass_on(self, connections: int = 1) -> None:
        """Leave the next connections whole, ahead of a fault for a later one."""
        with self._lock:
            self._planned.extend([None] * connections)

    def chaos(self, seed: int, connections: int = 20, share: float = 0.5, largest: int = 100_000) -> None:
        """Plan what `chaos_plan` says for the next connections."""
        with self._lock:
            self._planned.extend(chaos_plan(seed, connections, share, largest))

    def plan(self, fault: Break, connections: int = 1) -> None:
        """Set a fault for the next connections that have none yet."""
        with self._lock:
            self._planned.extend([fault] * connections)

    def heal(self) -> None:
        """Forget all faults; connections that are open keep theirs."""
        with self._lock:
            self._planned.clear()
            self._latency = 0.0

    def drop_open(self) -> None:
        """End all open connections, so that a client with a pool makes new ones."""

        def cancel() -> None:
            for task in self._open:
                task.cancel()

        self._loop.call_soon_threadsafe(cancel)

    # -- inside the thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._socket))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._end_all())
        self._loop.close()

    async def _end_all(self) -> None:
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _next(self) -> Break:
        with self._lock:
            self.connections += 1
            fault = self._planned.popleft() if self._planned else None
            if fault is not None:
                self.broken += 1
            return fault or Break(latency=self._latency)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        ends = [writer]
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._connect(self._next(), reader, ends)
        finally:
            self._open.discard(task)
            for end in ends:
                end.transport.abort() if end is not writer else end.close()

    async def _connect(
        self, fault: Break, reader: asyncio.StreamReader, ends: list[asyncio.StreamWriter]
    ) -> None:
        upstream, to_server = await asyncio.open_connection(*self.target)
        to_client = ends[0]
        ends.append(to_server)
        for end in ends:  # so that `drain` leaves nothing that a reset would lose
            end.transport.set_write_buffer_limits(high=0)
        down, up = (
            fault if fault.direction == way else Break(latency=fault.latency) for way in ("down", "up")
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(upstream, to_client, down))
                group.create_task(self._pump(reader, to_server, up))
        except* EndError as ended:
            if any(isinstance(item, EndError) and item.kind == "reset" for item in ended.exceptions):
                _reset(to_client)
        except* OSError:
            pass  # one side went away: so does the other

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Break) -> None:
        seen = 0
        ends = fault.kind in ("cut", "reset", "stall")
        while not (ends and fault.after == 0 and seen == 0) and (data := await reader.read(PIECE)):
            await asyncio.sleep(fault.latency)
            kept = data[: fault.after - seen] if ends else _altered(data, fault, seen)
            seen += len(data)
            writer.write(kept)
            await writer.drain()
            if ends and seen >= fault.after:
                break
        if fault.kind is not None and ends and seen >= fault.after:
            if fault.kind == "stall":
                await asyncio.sleep(self.longest_stall)
            raise EndError(fault.kind)
        if writer.can_write_eof():
            writer.write_eof()


def chaos_plan(seed: int, connections: int, share: float, largest: int) -> list[Break | None]:
    """Return faults of any kind at bytes below `largest` for a share of the connections, by the seed."""
    source = random.Random(seed)  # noqa: S311 - faults for tests
    plan: list[Break | None] = []
    for _ in range(connections):
        broken = Break(source.choice(KINDS), source.randrange(largest), source.choice(DIRECTIONS))
        plan.append(broken if source.random() < share else None)
    return plan


def _altered(data: bytes, fault: Break, seen: int) -> bytes:
    place = fault.after - seen
    if fault.kind != "alter" or not 0 <= place < len(data):
        return data
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


def _reset(writer: asyncio.StreamWriter) -> None:
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
