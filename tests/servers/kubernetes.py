"""Kubernetes' API on loopback, as far as Snakemake's executor uses it; a Job's command is run right here.

What stands in for the cluster: a pod is a process in a new empty folder (its `/workdir`) with an environment
made of the container's `env` and nothing else but `PATH`; a persistent volume is a folder that stands at its
mount path already. Requests and answers as in the API's reference:
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import yaml

Manifest = dict[str, Any]


@dataclass
class Pod:
    """The one pod of a Job, as a process."""

    process: subprocess.Popen[bytes]
    log: Path

    def container_status(self) -> Manifest:
        """Return the status of its container, `snakemake`."""
        code = self.process.poll()
        state = {"running": {}} if code is None else {"terminated": {"exitCode": code}}
        image = {"image": "", "imageID": "", "ready": code is None, "restartCount": 0}
        return {"name": "snakemake", "state": state, **image}


@dataclass
class FakeKubernetes:
    """A cluster, from `with` to the end of its block."""

    place: Path
    """Where pods have their folders and logs, and the client its configuration."""
    path: str
    """`PATH` in every container."""
    jobs: list[Manifest] = field(default_factory=list)
    """Every Job as it was submitted."""
    secrets: dict[str, Manifest] = field(default_factory=dict)
    """The Secrets that there are now."""
    pods: dict[str, Pod] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.cluster = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for pod in self.pods.values():
            pod.process.kill()
            pod.process.wait()

    def client_configuration(self) -> Path:
        """Return a kubeconfig that leads here."""
        cluster = {
            "name": "here",
            "cluster": {"server": f"http://127.0.0.1:{self._server.server_address[1]}"},
        }
        context = {"name": "here", "context": {"cluster": "here", "user": "robot"}}
        content: Manifest = {"apiVersion": "v1", "kind": "Config", "current-context": "here"}
        content |= {"clusters": [cluster], "contexts": [context], "users": [{"name": "robot", "user": {}}]}
        target = self.place / "kubeconfig"
        target.write_text(yaml.safe_dump(content))
        return target

    def start(self, job: Manifest) -> None:
        """Run the container of a Job."""
        self.jobs.append(job)
        container = job["spec"]["template"]["spec"]["containers"][0]
        log = self.place / f"{job['metadata']['name']}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*container["command"], *container["args"]],
                cwd=tempfile.mkdtemp(dir=self.place),
                env={"PATH": self.path, "HOME": str(self.place)} | self._environment(container),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.pods[job["metadata"]["name"]] = Pod(process, log)

    def _environment(self, container: Manifest) -> dict[str, str]:
        found = {}
        for variable in container.get("env", ()):
            if "value" in variable:
                found[variable["name"]] = variable["value"]
            else:
                ref = variable["valueFrom"]["secretKeyRef"]
                encoded = self.secrets[ref["name"]]["data"][ref["key"]]
                found[variable["name"]] = base64.b64decode(encoded).decode()
        return found

    def job_status(self, name: str) -> Manifest:
        """Return a Job with its status."""
        code = self.pods[name].process.poll()
        counts = {None: {"active": 1}, 0: {"succeeded": 1}}.get(code, {"failed": 1})
        return {"metadata": {"name": name}, "status": counts}

    def pod_list(self, selector: str) -> Manifest:
        """Return the pods of the Job that a label selector, `job-name=…`, names."""
        name = selector.removeprefix("job-name=")
        statuses = [self.pods[name].container_status()] if name in self.pods else []
        items = [{"metadata": {"name": name}, "status": {"containerStatuses": [one]}} for one in statuses]
        return {"items": items}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    @property
    def _cluster(self) -> FakeKubernetes:
        cluster: FakeKubernetes = self.server.cluster  # type: ignore[attr-defined]
        return cluster

    def _body(self) -> Manifest:
        content: Manifest = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        return content

    def _answer(self, content: Manifest | str, status: HTTPStatus = HTTPStatus.OK) -> None:
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Create a Secret or a Job."""
        body = self._body()
        if self.path.endswith("/secrets"):
            self._cluster.secrets[body["metadata"]["name"]] = body
        else:
            self._cluster.start(body)
        self._answer(body, HTTPStatus.CREATED)

    def do_GET(self) -> None:
        """Show a Job's status, its pods, or a pod's log."""
        address = urlsplit(self.path)
        *_, name, last = address.path.split("/")
        if last == "status":
            self._answer(self._cluster.job_status(name))
        elif last == "log":
            self._answer(self._cluster.pods[name].log.read_text(errors="replace"))
        else:
            self._answer(self._cluster.pod_list(parse_qs(address.query)["labelSelector"][0]))

    def do_DELETE(self) -> None:
        """Forget a Secret; of a Job or a pod, only say so."""
        self._body()
        self._cluster.secrets.pop(self.path.rpartition("/")[2], None)
        self._answer({"status": "Success"})
