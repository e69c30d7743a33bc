"""A stateful fake of GitHub over real HTTP, in GitHub Enterprise Server's shape: `/api/v3`, git and Git LFS.

Example::

    with FakeGitHub(tmp_path, tokens={"test-token": Account("robot")}) as github:
        github.add_repository("acme", "one", private=True)
        Github(auth=Auth.Token("test-token"), base_url=github.api_url)
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from tests.servers.github_access import Access, Account, App, Installation, Quota
from tests.servers.github_http import Handler, Server
from tests.servers.github_json import Shapes
from tests.servers.github_log import API, Fault, Request, RequestLog, matching
from tests.servers.github_routes import World
from tests.servers.github_state import Owner, OwnerType, Repository, RepositoryFields, State
from tests.servers.repositories import push_commit

__all__ = ["Account", "App", "FakeGitHub", "Fault", "Installation", "Repository", "Request", "matching"]


class FakeGitHub:
    """GitHub on a loopback port, from `with` to the end of its block; tests change it while it runs."""

    def __init__(
        self, root: Path, tokens: Mapping[str, Account] | None = None, app: App | None = None
    ) -> None:
        """Keep repositories below `root`; each token's login becomes a user."""
        self.state = State(root)
        self.log = RequestLog()
        self.access = Access(dict(tokens or {}))
        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.api_url = f"{self.url}{API}"
        self._world = World(self.state, self.access, Shapes(self.url), app)
        self._server.prepare(self._world, self.log)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        for account in self.access.tokens.values():
            self.state.add_owner(account.login, "User")

    @property
    def port(self) -> int:
        """Return the port."""
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        """Return `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every connection; raises the fake's own error, if it had one, so that no test passes on it."""
        self.stop()
        if self._server.problems and error is None:
            raise RuntimeError("the fake GitHub failed:\n" + "\n".join(self._server.problems))

    def announce_as(self, url: str) -> None:
        """Name another address, such as a proxy's, in everything that the API answers."""
        self._world.shapes = Shapes(url)

    def stop(self) -> None:
        """End the server: further connections are refused."""
        self._server.stop()
        self._thread.join()

    # -- accounts and repositories

    def add_organization(self, login: str) -> Owner:
        """Return an organisation, made when it's new; `add_repository` does so by itself."""
        return self.state.add_owner(login)

    def add_user(self, login: str) -> Owner:
        """Return a user, made when it's new."""
        return self.state.add_owner(login, "User")

    def add_repository(
        self, owner: str, name: str, bare_path: Path | None = None, **fields: Unpack[RepositoryFields]
    ) -> Repository:
        """Add a repository: `bare_path` where it stands, or a new one of three commits."""
        return self.state.add_repository(owner, name, bare_path, **fields)

    def repository(self, owner: str, name: str) -> Repository:
        """Return a repository, whose fields may be changed; raises KeyError without it."""
        return self.state.named(owner, name)

    def touch_push(
        self, owner: str, name: str, branch: str | None = None, message: str = "A further commit"
    ) -> str:
        """Add a commit and moves `pushed_at` on; returns the commit's object id."""
        repository = self.repository(owner, name)
        commit = push_commit(repository.path, branch or repository.default_branch, message)
        self.state.pushed(repository)
        return commit

    def touch_metadata(self, owner: str, name: str, **fields: Unpack[RepositoryFields]) -> None:
        """Change fields and moves `updated_at` on, not `pushed_at`."""
        repository = self.repository(owner, name)
        repository.updated_at = self.state.tick()
        repository.set_fields(fields)

    def rename(self, owner: str, name: str, new_name: str) -> None:
        """Rename a repository, which keeps its id; the old name redirects."""
        self.state.move(self.repository(owner, name), owner, new_name)

    def transfer(self, owner: str, name: str, new_owner: str) -> None:
        """Give a repository to another owner; it keeps its id, and the old name redirects."""
        self.state.move(self.repository(owner, name), new_owner, name)

    def remove(self, owner: str, name: str) -> None:
        """Delete a repository."""
        self.state.remove(self.repository(owner, name))

    def owner_type(self, login: str, kind: OwnerType) -> None:
        """Change an account's type."""
        self.state.add_owner(login).type = kind

    # -- tokens, Apps and quotas

    def add_token(self, token: str, account: Account) -> None:
        """Make a token valid."""
        self.access.tokens[token] = account
        self.state.add_owner(account.login, "User")

    def revoke_token(self, token: str) -> None:
        """Make a token wrong, whoever it was issued to."""
        self.access.tokens.pop(token, None)
        self.access.issued.pop(token, None)

    def revoke_issued_tokens(self) -> None:
        """End all installation tokens, as an hour does."""
        self.access.issued.clear()

    def install_app(
        self, app: App, *logins: str, repositories: tuple[str, ...] | None = None
    ) -> list[Installation]:
        """Install `app`, from now on the one known, on accounts, for all or for the named repositories."""
        self._world.app = app
        first = 5001 + len(self._world.installations)
        added = [Installation(first + place, login, repositories) for place, login in enumerate(logins)]
        self._world.installations += added
        return added

    def set_quota(
        self, token: str | None, *, limit: int = 5000, remaining: int = 5000, reset_in: int = 3600
    ) -> None:
        """Set what a token (None: those without one) has left, and in how many seconds it starts anew."""
        self.access.quotas[token] = Quota(limit, limit - remaining, int(time.time()) + reset_in)

    # -- what was asked, and faults

    @property
    def requests(self) -> list[Request]:
        """Return every request in the order of arrival."""
        return self.log.requests()

    def api_requests(self) -> list[Request]:
        """Return the requests to the REST API."""
        return [request for request in self.requests if request.is_api]

    def git_requests(self) -> list[Request]:
        """Return git's own requests."""
        return [request for request in self.requests if not request.is_api and not request.is_lfs]

    def lfs_requests(self) -> list[Request]:
        """Return the requests to Git LFS."""
        return [request for request in self.requests if request.is_lfs]

    def clear_requests(self) -> None:
        """Forget the requests."""
        self.log.clear_requests()

    def fault(self, fault: Fault) -> Fault:
        """Set a fault for API, git and LFS alike; returns it, so that its `hits` can be read."""
        return self.log.add_fault(fault)

    def clear_faults(self) -> None:
        """Heal everything."""
        self.log.clear_faults()

    def cut_connections(self) -> None:
        """End all connections that are open now."""
        self._server.cut(socket.SHUT_RDWR)
