"""Serves Git LFS at `/{owner}/{name}.git/info/lfs`: the batch API with basic transfers, upload and verify.

After git-lfs `docs/api/batch.md` and `docs/api/basic-transfers.md`. As with GitHub, objects are on another
host, here `localhost`, which refuses the token: the Authorization counts that came with the address.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from pathlib import Path
from typing import Any

from tests.servers.github_access import Access
from tests.servers.github_git import GitCall, Refusal, Target, find_target
from tests.servers.github_outlet import PIECE, Outlet
from tests.servers.github_state import State
from tests.servers.lfs_store import object_path

ADDRESS = re.compile(r"^/([^/]+)/([^/]+?)\.git/info/lfs/(objects/batch|verify|storage/([0-9a-f]{64})|.*)$")
MEDIA = {"Content-Type": "application/vnd.git-lfs+json; charset=utf-8"}
BYTES = {"Content-Type": "application/octet-stream"}
EXPIRES = 3600
SECRET = secrets.token_bytes(16)

Json = dict[str, Any]


def serve_lfs(state: State, access: Access, base_url: str, call: GitCall, outlet: Outlet) -> bool:
    """Answer a request for Git LFS; returns whether the address was one of its own."""
    found = ADDRESS.match(call.path)
    if found is None:
        return False
    owner, name, service, oid = found.groups()
    if oid:
        repository = state.find(owner, name.removesuffix(".wiki"))
        path = None if repository is None else repository.wiki_path if ".wiki" in name else repository.path
        _serve_object(path, oid, call, outlet)
        return True
    body = b"".join(call.body)
    target = find_target(state, access, owner, name, call.headers)
    if isinstance(target, Refusal):
        challenge = {"LFS-Authenticate": 'Basic realm="GitHub"'} if target.status == 401 else {}
        _send(outlet, target.status, {"message": target.text}, dict(target.headers) | challenge)
    elif service == "objects/batch" and call.method == "POST":
        _batch(target, f"{base_url}/{owner}/{name}.git/info/lfs", json.loads(body), outlet)
    elif service == "verify" and call.method == "POST":
        _verify(target.path, json.loads(body), outlet)
    else:
        _send(outlet, 404, {"message": "Not Found"})
    return True


def _batch(target: Target, address: str, body: Json, outlet: Outlet) -> None:
    upload = body["operation"] == "upload"
    if upload and (target.viewer.is_anonymous or not target.viewer.can_write(target.repository)):
        _send(outlet, 403, {"message": "You do not have write access to this repository."})
        return
    describe = _to_upload if upload else _to_download
    objects = [describe(target, address, item) for item in body["objects"]]
    _send(outlet, 200, {"transfer": "basic", "objects": objects, "hash_algo": "sha256"})


def _to_download(target: Target, address: str, item: Json) -> Json:
    path = object_path(target.path, item["oid"])
    if not path.is_file():
        return item | {"error": {"code": 404, "message": "Object does not exist on the server"}}
    if path.stat().st_size != item["size"]:
        return item | {"error": {"code": 422, "message": "Object size does not match"}}
    return item | {"authenticated": True, "actions": {"download": _action(target, address, item["oid"])}}


def _to_upload(target: Target, address: str, item: Json) -> Json:
    if object_path(target.path, item["oid"]).is_file():
        return item
    verify = {"href": f"{address}/verify", "expires_in": EXPIRES}
    if target.viewer.token:
        verify["header"] = {"Authorization": _basic(target.viewer.token)}
    actions = {"upload": _action(target, address, item["oid"]), "verify": verify}
    return item | {"authenticated": True, "actions": actions}


def _action(target: Target, address: str, oid: str) -> Json:
    header = {"Authorization": _remote_auth(target.path, oid)}
    storage = address.replace("//127.0.0.1:", "//localhost:")
    return {"href": f"{storage}/storage/{oid}", "header": header, "expires_in": EXPIRES}


def _verify(repository: Path, item: Json, outlet: Outlet) -> None:
    path = object_path(repository, item["oid"])
    if path.is_file() and path.stat().st_size == item["size"]:
        _send(outlet, 200, {})
    else:
        _send(outlet, 404, {"message": "Object does not exist on the server"})


def _serve_object(path: Path | None, oid: str, call: GitCall, outlet: Outlet) -> None:
    given = call.headers.get("authorization", "")
    if path is None or not hmac.compare_digest(given, _remote_auth(path, oid)):
        for _ in call.body:
            pass
        _send(outlet, 403, {"message": "The address needs the Authorization that the batch API gave"})
    elif call.method == "PUT":
        _receive(object_path(path, oid), oid, call, outlet)
    else:
        _give(object_path(path, oid), outlet)


def _give(path: Path, outlet: Outlet) -> None:
    if not path.is_file():
        _send(outlet, 404, {"message": "Not Found"})
        return
    with path.open("rb") as source:
        outlet.start(200, BYTES, path.stat().st_size)
        while piece := source.read(PIECE):
            outlet.write(piece)
        outlet.end()


def _receive(path: Path, oid: str, call: GitCall, outlet: Outlet) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{oid}.{secrets.token_hex(4)}.part")
    digest = hashlib.sha256()
    with part.open("wb") as kept:
        for piece in call.body:
            digest.update(piece)
            kept.write(piece)
    if digest.hexdigest() != oid:
        part.unlink()
        _send(outlet, 422, {"message": "The content does not match its object id"})
        return
    part.replace(path)
    outlet.send(200, BYTES, b"")


def _send(outlet: Outlet, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
    outlet.send(status, MEDIA | (headers or {}), json.dumps(body).encode())


def _remote_auth(repository: Path, oid: str) -> str:
    return f"RemoteAuth {hmac.new(SECRET, f'{repository}:{oid}'.encode(), 'sha256').hexdigest()}"


def _basic(token: str) -> str:
    return f"Basic {base64.b64encode(f'x-access-token:{token}'.encode()).decode()}"
