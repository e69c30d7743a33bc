"""AWS Batch on loopback: moto keeps what is submitted, and each job's command is run on this machine.

What stands in for a machine of AWS: a process in a new empty folder, with an environment made of the job
definition's `environment`, of `PATH`, and of what gives a machine its role (`role`).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
ACCOUNT = {"AWS_ACCESS_KEY_ID": "a-role", "AWS_SECRET_ACCESS_KEY": "of-this-machine"}
POLL_SECONDS = 0.2


class LocalBatch:
    """A queue, from `with` to the end of its block."""

    def __init__(self, place: Path, path: str) -> None:
        """Let jobs run below `place`, with `path` as their `PATH`."""
        self._place = place
        self._path = path
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._begun: set[str] = set()
        self.definitions: list[dict[str, Any]] = []
        """Every job definition as it was registered."""
        self.logs: list[Path] = []
        """What each job said."""
        self.queue = self.role = ""

    def __enter__(self) -> Self:
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self._configure("reset")  # moto keeps its state for as long as the process lives
        without_docker = json.dumps({"batch": {"use_docker": False}}).encode()
        self._configure("config", without_docker)
        trust = {"RoleName": "repo-maintenance", "AssumeRolePolicyDocument": "{}"}
        self.role = self.client("iam").create_role(**trust)["Role"]["Arn"]
        self._batch = self.client("batch")
        machines = self._batch.create_compute_environment(
            computeEnvironmentName="machines", type="UNMANAGED", state="ENABLED", serviceRole=self.role
        )
        order = [{"order": 1, "computeEnvironment": machines["computeEnvironmentArn"]}]
        queue = self._batch.create_job_queue(
            jobQueueName="jobs", state="ENABLED", priority=1, computeEnvironmentOrder=order
        )
        self.queue = queue["jobQueueArn"]
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._server.stop()

    def _configure(self, what: str, content: bytes = b"") -> None:
        urllib.request.urlopen(f"{self.url}/moto-api/{what}", data=content).close()  # noqa: S310

    def client(self, service: str) -> Any:
        """Return boto3's client of a service here."""
        session: Any = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test")
        return session.client(service, region_name=REGION, endpoint_url=self.url)

    def environment(self) -> Mapping[str, str]:
        """Return the variables by which boto3 gets here."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": REGION, **ACCOUNT}

    def _serve(self) -> None:
        """Run each job whose definition is new, one after the other."""
        while not self._ended.wait(POLL_SECONDS):
            for definition in self._batch.describe_job_definitions()["jobDefinitions"]:
                if definition["jobDefinitionArn"] not in self._begun:
                    self._begun.add(definition["jobDefinitionArn"])
                    self.definitions.append(definition)
                    self._run(definition["containerProperties"])

    def _run(self, container: Mapping[str, Any]) -> None:
        folder = Path(tempfile.mkdtemp(dir=self._place))
        log = folder.with_suffix(".log")
        own = {variable["name"]: variable["value"] for variable in container["environment"]}
        with log.open("wb") as output:
            subprocess.run(
                container["command"],
                cwd=folder,
                env={"PATH": self._path, "HOME": str(self._place)} | dict(self.environment()) | own,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        self.logs.append(log)
