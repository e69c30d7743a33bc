"""Checks the fake GitHub's answers against GitHub's own OpenAPI description, cut to the paths in use.

`github_openapi.json` is made of `generated/ghes-3.19.json` of npm's `@octokit/openapi` 23.0.2 (MIT)::

    python -m tests.servers.openapi ghes-3.19.json tests/servers/github_openapi.json
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30Validator, oas30_format_checker

KEPT = Path(__file__).with_name("github_openapi.json")
# Without GET /app/installations: there the description wants `account` to be user and enterprise at once.
PATHS = {
    "/app": ("get",),
    "/app/installations/{installation_id}/access_tokens": ("post",),
    "/installation/repositories": ("get",),
    "/meta": ("get",),
    "/orgs/{org}": ("get",),
    "/orgs/{org}/installation": ("get",),
    "/orgs/{org}/repos": ("get", "post"),
    "/rate_limit": ("get",),
    "/repos/{owner}/{repo}": ("get", "patch"),
    "/repos/{owner}/{repo}/topics": ("get", "put"),
    "/user": ("get",),
    "/user/repos": ("get", "post"),
    "/users/{username}": ("get",),
    "/users/{username}/installation": ("get",),
    "/users/{username}/repos": ("get",),
}
PROSE = {"description", "example", "examples", "summary", "title", "externalDocs", "default"}


class Description:
    """GitHub's description of the endpoints that the fake has."""

    def __init__(self, path: Path = KEPT) -> None:
        self._root = json.loads(path.read_text())

    def problems(self, method: str, path: str, status: int, body: object) -> list[str]:
        """Return what is wrong with an answer; raises KeyError for what the description doesn't have."""
        template = self._template(path)
        schema = self._root["paths"][template][method.lower()][str(status)]
        validator = OAS30Validator(schema | self._components, format_checker=oas30_format_checker)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(body)]

    @property
    def _components(self) -> dict[str, Any]:
        return {"components": self._root["components"]}

    def _template(self, path: str) -> str:
        exact_first = sorted(self._root["paths"], key=lambda template: template.count("{"))
        for template in exact_first:
            if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
                return str(template)
        raise KeyError(path)


def cut(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas in use, path → method → status → schema, and all that they refer to."""
    paths: dict[str, Any] = {}
    for path, methods in PATHS.items():
        paths[path] = {method: _answers(whole, whole["paths"][path][method]) for method in methods}
    schemas: dict[str, Any] = {}
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = _without_prose(whole["components"]["schemas"][name])
            waiting += _references(schemas[name])
    version = whole["info"]["version"]
    return {"version": version, "paths": paths, "components": {"schemas": dict(sorted(schemas.items()))}}


def _answers(whole: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for status, answer in operation["responses"].items():
        full = answer
        if "$ref" in answer:
            full = whole["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        schema = full.get("content", {}).get("application/json", {}).get("schema")
        if schema is not None:
            found[status] = _without_prose(schema)
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _without_prose(node: Any, *, names: bool = False) -> Any:
    """Return a schema without its texts; below `properties` the keys are names and stay."""
    if isinstance(node, list):
        return [_without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or not (key in PROSE or key.startswith("x-"))}
    return {
        key: _without_prose(value, names=key == "properties" and not names) for key, value in kept.items()
    }


if __name__ == "__main__":
    source, target = (Path(argument) for argument in sys.argv[1:3])
    target.write_text(json.dumps(cut(json.loads(source.read_text())), separators=(",", ":")) + "\n")
