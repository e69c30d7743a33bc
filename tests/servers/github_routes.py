"""The fake GitHub's REST endpoints for repositories and accounts, as functions of a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.servers.github_access import Access, App, Installation, Viewer
from tests.servers.github_json import Json, Shapes, rate_limit
from tests.servers.github_state import Owner, Repository, State
from tests.servers.repositories import make_empty, set_head

DOCS = "https://docs.github.com/rest"
SORTS: dict[str, Callable[[Repository], Any]] = {
    "created": lambda repository: repository.created_at,
    "updated": lambda repository: repository.updated_at,
    "pushed": lambda repository: repository.pushed_at or repository.created_at,
    "full_name": lambda repository: repository.full_name.lower(),
}
CHANGEABLE: tuple[str, ...] = (
    "private",
    "visibility",
    "archived",
    "default_branch",
    "description",
    "homepage",
    "is_template",
)
CHANGEABLE += ("has_issues", "has_wiki", "has_projects")


@dataclass(slots=True)
class World:
    """All that the endpoints work on."""

    state: State
    access: Access
    shapes: Shapes
    app: App | None = None
    installations: list[Installation] = field(default_factory=list)


@dataclass(slots=True)
class Call:
    """One API request after its credentials were read."""

    world: World
    viewer: Viewer
    path: str
    query: Mapping[str, str]
    payload: Json
    bearer: str | None = None

    @property
    def state(self) -> State:
        """Return the accounts and repositories."""
        return self.world.state

    def write(self, repository: Repository) -> bool | None:
        """Return whether the viewer may push, None for an anonymous one."""
        return None if self.viewer.is_anonymous else self.viewer.can_write(repository)

    def minimal(self, repository: Repository) -> Json:
        """Return a repository as listings show it to the viewer."""
        return self.world.shapes.minimal_repository(repository, write=self.write(repository))


@dataclass(slots=True)
class Answer:
    """A status, a JSON body (None: no body) and further headers."""

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


Endpoint = Callable[..., Answer]
Item = TypeVar("Item")


def problem(status: int, message: str, **more: object) -> Answer:
    """Return an error in GitHub's shape."""
    return Answer(status, {"message": message, "documentation_url": DOCS, "status": str(status)} | more)


def not_found() -> Answer:
    """Return GitHub's answer for what isn't there or isn't for the viewer's eyes."""
    return problem(404, "Not Found")


def page(
    call: Call,
    items: Sequence[Item],
    shape: Callable[[Item], Json],
    wrap: Callable[[list[Json]], Json] | None = None,
) -> Answer:
    """Return one page of `items`, with GitHub's Link header: 30 a page by default, 100 at most."""
    size = min(100, max(1, _number(call.query.get("per_page"), 30)))
    number = max(1, _number(call.query.get("page"), 1))
    last = max(1, -(-len(items) // size))
    shown = [shape(item) for item in items[(number - 1) * size : number * size]]
    wanted = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number >= last:
        del wanted["next"], wanted["last"]
    if number == 1:
        del wanted["prev"], wanted["first"]
    address = f"{call.world.shapes.api}{call.path}"
    links = [
        f'<{address}?{urlencode(dict(call.query) | {"page": str(target)})}>; rel="{relation}"'
        for relation, target in wanted.items()
    ]
    return Answer(200, shown if wrap is None else wrap(shown), {"Link": ", ".join(links)} if links else {})


def get_organization(call: Call, org: str) -> Answer:
    """GET /orgs/{org}."""
    owner = call.state.owner(org)
    if owner is None or owner.type != "Organization":
        return not_found()
    public, private = _counts(call, owner)
    member = call.viewer.account is not None and call.viewer.account.belongs_to(owner.login)
    return Answer(200, call.world.shapes.organization(owner, public, private if member else None))


def get_user(call: Call, login: str) -> Answer:
    """GET /users/{login}, which knows organisations as well."""
    owner = call.state.owner(login)
    return (
        not_found() if owner is None else Answer(200, call.world.shapes.user(owner, _counts(call, owner)[0]))
    )


def get_viewer(call: Call) -> Answer:
    """GET /user: a token of an installation has none (403)."""
    if call.viewer.installation is not None:
        return problem(403, "Resource not accessible by integration")
    if call.viewer.account is None:
        return problem(401, "Requires authentication")
    return get_user(call, call.viewer.account.login)


def list_organization(call: Call, org: str) -> Answer:
    """GET /orgs/{org}/repos."""
    owner = call.state.owner(org)
    if owner is None or owner.type != "Organization":
        return not_found()
    return _listing(call, lambda item: item.owner is owner, "created")


def list_user(call: Call, login: str) -> Answer:
    """GET /users/{login}/repos: the public ones only (GitHub Docs, "List repositories for a user")."""
    owner = call.state.owner(login)
    if owner is None:
        return not_found()
    return _listing(call, lambda item: item.owner is owner and item.visibility == "public", "full_name")


def list_viewer(call: Call) -> Answer:
    """GET /user/repos: the viewer's own and those of its organisations."""
    account = call.viewer.account
    if account is None:
        return get_viewer(call)
    affiliation = call.query.get("affiliation", "owner,collaborator,organization_member").split(",")

    def affiliated(repository: Repository) -> bool:
        own = repository.owner.login.lower() == account.login.lower()
        wanted = "owner" if own else "organization_member"
        return wanted in affiliation and account.belongs_to(repository.owner.login)

    return _listing(call, affiliated, "full_name")


def get_repository(call: Call, owner: str, name: str) -> Answer:
    """GET /repos/{owner}/{name}: 301 for a name that it had before."""
    repository = call.state.find(owner, name)
    if repository is not None:
        return _one(call, repository)
    moved = call.state.moved(owner, name)
    if moved is None or not call.viewer.can_read(moved):
        return not_found()
    url = f"{call.world.shapes.api}/repositories/{moved.id}"
    return Answer(
        301, {"message": "Moved Permanently", "url": url, "documentation_url": DOCS}, {"Location": url}
    )


def get_repository_by_id(call: Call, number: str) -> Answer:
    """GET /repositories/{id}, where a redirect leads."""
    repository = call.state.repositories.get(int(number))
    return not_found() if repository is None else _one(call, repository)


def create_in_organization(call: Call, org: str) -> Answer:
    """POST /orgs/{org}/repos."""
    owner = call.state.owner(org)
    return not_found() if owner is None or owner.type != "Organization" else _create(call, owner)


def create_for_viewer(call: Call) -> Answer:
    """POST /user/repos."""
    account = call.viewer.account
    return get_viewer(call) if account is None else _create(call, call.state.add_owner(account.login, "User"))


def change_repository(call: Call, owner: str, name: str) -> Answer:
    """PATCH /repos/{owner}/{name}."""
    repository = call.state.find(owner, name)
    if repository is None or not call.viewer.can_read(repository):
        return not_found()
    if not call.viewer.can_write(repository):
        return problem(403, "Must have admin rights to Repository.")
    fields: Any = {key: value for key, value in call.payload.items() if key in CHANGEABLE}
    with call.state.lock:
        repository.set_fields(fields)
        repository.updated_at = call.state.tick()
        if "default_branch" in fields:
            set_head(repository.path, fields["default_branch"])
        if call.payload.get("name", repository.name) != repository.name:
            call.state.move(repository, repository.owner.login, call.payload["name"])
    return _one(call, repository)


def replace_topics(call: Call, owner: str, name: str) -> Answer:
    """PUT /repos/{owner}/{name}/topics."""
    repository = call.state.find(owner, name)
    if repository is None or not call.viewer.can_write(repository):
        return not_found()
    repository.topics = [str(topic) for topic in call.payload.get("names", [])]
    return Answer(200, {"names": repository.topics})


def get_topics(call: Call, owner: str, name: str) -> Answer:
    """GET /repos/{owner}/{name}/topics."""
    repository = call.state.find(owner, name)
    if repository is None or not call.viewer.can_read(repository):
        return not_found()
    return Answer(200, {"names": repository.topics})


def get_rate_limit(call: Call) -> Answer:
    """GET /rate_limit, which doesn't count against the quota."""
    return Answer(200, rate_limit(call.world.access.quota(call.viewer.token)))


def get_meta(_: Call) -> Answer:
    """GET /meta, as GitHub Enterprise Server answers."""
    return Answer(200, {"verifiable_password_authentication": True, "installed_version": "3.19.0"})


def _one(call: Call, repository: Repository) -> Answer:
    if not call.viewer.can_read(repository):
        return not_found()
    owner, _, name = (repository.parent or "/").partition("/")
    parent = call.state.find(owner, name)
    return Answer(200, call.world.shapes.repository(repository, write=call.write(repository), parent=parent))


def _listing(call: Call, belongs: Callable[[Repository], bool], default_sort: str) -> Answer:
    with call.state.lock:
        found = [
            item for item in call.state.repositories.values() if belongs(item) and call.viewer.can_read(item)
        ]
    wanted = call.query.get("type", call.query.get("visibility", "all"))
    kinds: dict[str, Callable[[Repository], bool]] = {
        "public": lambda item: item.visibility == "public",
        "private": lambda item: item.private,
        "internal": lambda item: item.visibility == "internal",
        "forks": lambda item: item.fork,
        "sources": lambda item: not item.fork,
    }
    kept = kinds.get(wanted, lambda _: True)
    sort = call.query.get("sort", default_sort)
    direction = call.query.get("direction", "asc" if sort == "full_name" else "desc")
    if sort not in SORTS:
        return problem(422, "Validation Failed")
    ordered = sorted(filter(kept, found), key=SORTS[sort], reverse=direction == "desc")
    return page(call, ordered, call.minimal)


def _create(call: Call, owner: Owner) -> Answer:
    account = call.viewer.account
    if account is None or not account.write or not account.belongs_to(owner.login):
        return problem(403, "You need admin access to the organization before adding a repository to it.")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", str(call.payload.get("name", "")))
    if not name or call.state.find(owner.login, name) is not None:
        why = "name already exists on this account" if name else "name is too short (minimum is 1 character)"
        error = {"resource": "Repository", "code": "custom", "field": "name", "message": why}
        return problem(422, "Repository creation failed.", errors=[error])
    path = make_empty(call.state.root / owner.login / f"{name}.git")
    fields: Any = {key: value for key, value in call.payload.items() if key in CHANGEABLE}
    repository = call.state.add_repository(owner.login, name, path, **fields)
    shape = call.world.shapes.repository(repository, write=True)
    return Answer(201, shape, {"Location": shape["url"]})


def _counts(call: Call, owner: Owner) -> tuple[int, int]:
    with call.state.lock:
        kinds = [item.private for item in call.state.repositories.values() if item.owner is owner]
    return kinds.count(False), kinds.count(True)


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default
