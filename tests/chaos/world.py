"""The world of a chaos run: an organisation upstream, a bucket, the proxies before both, a working folder."""

from __future__ import annotations

import datetime as dt
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.plan import Change, Push, Refusal, Step
from tests.servers.github import Account, FakeGitHub, Fault, matching
from tests.servers.github_log import API
from tests.servers.proxy import FaultProxy
from tests.servers.repositories import (
    delete_ref,
    force_push,
    make_empty,
    make_lfs_repository,
    make_repository,
    push_commit,
    refs,
)
from tests.servers.seaweed import REGION, SeaweedServer
from tests.workflow.workspace import Workspace

TOKEN = "chaos-token"
ORGANIZATION = "acme"
PREFIX = "backups/"
LARGE_BYTES = 70 << 20  # stored in parts
LONGEST_STALL = 5.0
SIDE = "refs/heads/side"
SPECIAL = ("large", "many-refs", "media", "handbook", "empty")
EARLIER = dt.timedelta(days=3)
GIT_REQUESTS = r"\.git/(info/refs|git-upload-pack|info/lfs)"


class World:
    """All that a run of the workflow deals with, from ``with`` to the end of its block."""

    def __init__(self, folder: Path, repositories: int, seaweed: SeaweedServer) -> None:
        """Take where everything stands; nothing is made yet."""
        self.seaweed = seaweed
        self.bucket = seaweed.new_bucket()
        self.client = seaweed.client()
        self.github = FakeGitHub(folder / "github", tokens={TOKEN: Account("robot")})
        self.git_proxy = FaultProxy("127.0.0.1", self.github.port, LONGEST_STALL)
        self.s3_proxy = FaultProxy("127.0.0.1", seaweed.ports["s3"], LONGEST_STALL)
        self.small = [f"lecture-{number:02d}" for number in range(repositories - len(SPECIAL))]
        self.refused: list[Fault] = []
        self.pushes = 0
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the servers and make the repositories."""
        for server in (self.github, self.git_proxy, self.s3_proxy):
            self._stack.enter_context(server)
        self.github.announce_as(self.git_proxy.url)
        self._make_repositories()
        (self._folder / "workspace").mkdir()
        (self._folder / "tmp").mkdir()
        self.workspace = self._workspace()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the servers."""
        self._stack.close()

    @property
    def names(self) -> list[str]:
        """The names of all repositories."""
        return sorted([*self.small, *SPECIAL])

    @property
    def pushable(self) -> list[str]:
        """The names of those that are pushed to; the large one comes thrice, so that it is often at work."""
        return [*self.small, "many-refs", "media", "handbook", "large", "large", "large"]

    def path(self, name: str) -> Path:
        """Return where a repository stands upstream."""
        return self.github.repository(ORGANIZATION, name).path

    def push(self, push: Push) -> None:
        """Change a repository upstream, and let GitHub note the time."""
        path = self.path(push.repository)
        self.pushes += 1
        if push.change is Change.DELETION and SIDE in refs(path):
            delete_ref(path, SIDE)
        elif push.change is Change.FORCED and push.repository != "media":  # it would lose its LFS objects
            force_push(path, message=f"History {self.pushes}")
        else:
            branch = "side" if push.change is Change.BRANCH else "main"
            push_commit(path, branch, f"Push {self.pushes}")
        self.github.state.pushed(self.github.repository(ORGANIZATION, push.repository))

    def break_things(self, step: Step) -> None:
        """Set the faults of a step, and forget those of the step before."""
        self.heal()
        for refusal in step.refusals:
            self.refused.append(self.github.fault(_fault(refusal)))
        for proxy, breaks in ((self.git_proxy, step.git_breaks), (self.s3_proxy, step.s3_breaks)):
            proxy.delay(step.latency)
            for planned in breaks:
                if planned is None:
                    proxy.pass_on()
                else:
                    proxy.plan(planned)

    def heal(self) -> None:
        """Forget all faults."""
        self.github.clear_faults()
        self.git_proxy.heal()
        self.s3_proxy.heal()

    def list_keys(self) -> list[str]:
        """Return the keys of all backups in the bucket, sorted."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=PREFIX)
        found = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return sorted(key for key in found if key.endswith(".tar.gz"))

    def make_earlier_backups(self) -> list[str]:
        """Give every second repository a backup of an earlier day; returns the names of these objects."""
        chosen = self.names[::2]
        config = {"backup": {**self.workspace.config["backup"], "patterns": chosen}}
        first = Workspace(self.workspace.path, config, self.workspace.environment).backup()
        if first.code:
            raise RuntimeError(f"a run without any fault failed:\n{first.output}")
        shutil.rmtree(self.workspace.path / "results")
        return [self._move_back(key) for key in self.list_keys()]

    def _move_back(self, key: str) -> str:
        """Rename an object to that of an earlier day, metadata included."""
        head = self.client.head_object(Bucket=self.bucket, Key=key)
        today = dt.date.fromisoformat(head["Metadata"]["backup_date"])
        earlier = today - EARLIER
        renamed = key.replace(f"{today:%Y%m%d}", f"{earlier:%Y%m%d}")
        self.client.copy_object(
            Bucket=self.bucket,
            Key=renamed,
            CopySource={"Bucket": self.bucket, "Key": key},
            Metadata={**head["Metadata"], "backup_date": earlier.isoformat()},
            MetadataDirective="REPLACE",
        )
        self.client.delete_object(Bucket=self.bucket, Key=key)
        return renamed

    def _make_repositories(self) -> None:
        made = self._folder / "made"
        for name in self.small:
            self.github.add_repository(ORGANIZATION, name, has_wiki=False)
        many = [f"topic/{number}" for number in range(500)], [f"v{number}" for number in range(500)]
        make_repository(made / "many-refs.git", branches=many[0], tags=many[1])
        make_repository(made / "large.git", size_bytes=LARGE_BYTES)
        make_lfs_repository(made / "media.git", {f"{n}.bin": bytes([n]) * 300_000 for n in range(3)})
        make_repository(made / "handbook.git")
        make_repository(made / "handbook.wiki.git", default_branch="master")
        make_empty(made / "empty.git")
        for name in SPECIAL:
            path = made / f"{name}.git"
            self.github.add_repository(ORGANIZATION, name, path, has_wiki=name in {"handbook", "media"})

    def _workspace(self) -> Workspace:
        backup = {
            "organization": ORGANIZATION,
            "github": {"api_url": f"{self.git_proxy.url}{API}", "max_wait": 30},
            "git": {"attempts": 3, "wait_seconds": 0.2, "stall_seconds": 3},
            "replace_rewritten": True,  # all pushes are of one day, the forced ones too
            "s3": {
                "bucket": self.bucket,
                "prefix": PREFIX,
                "region": REGION,
                "endpoint_url": self.s3_proxy.url,
            },
        }
        environment = {
            **self.seaweed.environment(),
            "GITHUB_TOKEN": TOKEN,
            "NO_PROXY": "127.0.0.1,localhost",
            "TMPDIR": str(self._folder / "tmp"),
        }
        return Workspace(self._folder / "workspace", {"backup": backup}, environment)


def _fault(refusal: Refusal) -> Fault:
    return Fault(
        matching(GIT_REQUESTS),
        times=refusal.times,
        status=refusal.status,
        after_bytes=refusal.after_bytes,
    )
