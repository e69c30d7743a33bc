"""What a repository declares to depend on, read from its files: nothing is executed, all may be hostile."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from repo_maintenance.health.poetry import poetry_specifier
from repo_maintenance.health.tree import File, Tree

MOST_MANIFESTS = 50
LONGEST_LINE = 1000
NOT_OURS = re.compile(r"(^|.*/)(node_modules|vendor|third_party|site-packages|\.venv|venv)/.*", re.IGNORECASE)
REQUIREMENTS = r"(.*/)?([^/]*requirements[^/]*\.txt|requirements/[^/]+\.txt)"
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsuses
USES = re.compile(
    r"\s*(?:-\s*)?uses:\s*['\"]?(?P<name>[A-Za-z0-9-]{1,60}/[A-Za-z0-9._-]{1,100})(?:/[^@\s'\"]*)?"
    r"@(?P<ref>[^\s'\"]{1,200})['\"]?(?:\s+#\s*(?P<said>v?[0-9][0-9.]{0,30})\b.*)?.*"
)


@dataclass(frozen=True)
class Dependency:
    """One declared dependency."""

    kind: str
    """`pypi`, `npm` or `action`."""
    name: str
    wanted: str
    """The versions that will do, as the file has it; empty where any will."""
    said: str = ""
    """For an action: the version that a comment beside the reference names."""


@dataclass(frozen=True)
class Manifest:
    """A file, and what it declares; or why it can't be read."""

    path: str
    dependencies: tuple[Dependency, ...] = ()
    problem: str = ""


class UnreadableError(ValueError):
    """A file is not what its name says."""


class _NoAliases(yaml.SafeLoader):
    """Reads plain YAML; aliases, a few of which can stand for billions of entries, are refused."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise UnreadableError("aliases are not followed")
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def read_manifests(tree: Tree) -> Iterator[Manifest]:
    """Yield the manifests of the default branch, the 50 nearest to its top; vendored ones are left out."""
    found = [
        (file, read)
        for pattern, read in READERS.items()
        for file in tree.matching(pattern)
        if not NOT_OURS.fullmatch(file.path)
    ]
    for file, read in sorted(found, key=lambda one: (one[0].path.count("/"), one[0].path))[:MOST_MANIFESTS]:
        yield _read(tree, file, read)


def _read(tree: Tree, file: File, read: Any) -> Manifest:
    text = tree.read(file)
    if text is None:
        return Manifest(file.path, problem="larger than 1 MiB")
    try:
        return Manifest(file.path, tuple(dict.fromkeys(read(text))))
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        words = str(error).split("\n", 1)[0] or "nested too deeply"
        return Manifest(file.path, problem=words)


def read_requirements(text: str) -> Iterator[Dependency]:
    """Yield what a requirements.txt names; options, paths and addresses are nobody's release."""
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        plain = re.sub(r"(^|\s)#.*", "", line).strip()
        requirement = re.split(r"\s--?[a-z]", plain, maxsplit=1)[0].strip()
        if requirement and not requirement.startswith(("-", ".", "/")) and "://" not in requirement:
            yield _requirement(requirement)


def read_pyproject(text: str) -> Iterator[Dependency]:
    """Yield what a pyproject.toml names: by PEP 621, PEP 735, PEP 518, or Poetry's own tables."""
    content = tomllib.loads(text)
    project = _table(content.get("project"))
    groups = [project.get("dependencies"), _table(content.get("build-system")).get("requires")]
    groups += [*_table(project.get("optional-dependencies")).values()]
    groups += [*_table(content.get("dependency-groups")).values()]
    for group in groups:
        yield from (_requirement(one) for one in _texts(group) if "://" not in one)
    poetry = _table(_table(content.get("tool")).get("poetry"))
    tables = [poetry, *(_table(one) for one in _table(poetry.get("group")).values())]
    for table in tables:
        for name, wanted in _table(table.get("dependencies")).items():
            version = wanted.get("version") if isinstance(wanted, dict) else wanted
            if name != "python" and isinstance(version, str):
                yield _requirement(f"{name}{poetry_specifier(version)}")


def read_environment(text: str) -> Iterator[Dependency]:
    """Yield what pip is to install by an environment.yml; conda's own packages are in no index asked here."""
    content = _table(yaml.load(text, Loader=_NoAliases))  # noqa: S506 - a SafeLoader
    for entry in content.get("dependencies") or ():
        for requirement in _texts(_table(entry).get("pip")):
            if not requirement.startswith(("-", ".", "/")) and "://" not in requirement:
                yield _requirement(requirement)


def read_package_json(text: str) -> Iterator[Dependency]:
    """Yield what a package.json names with a range of versions."""
    content = json.loads(text)
    if not isinstance(content, dict):
        raise UnreadableError("not a JSON object")
    for group in ("dependencies", "devDependencies", "optionalDependencies"):
        for name, wanted in _table(content.get(group)).items():
            if isinstance(wanted, str):
                yield Dependency("npm", name, wanted[:LONGEST_LINE])


def read_workflow(text: str) -> Iterator[Dependency]:
    """Yield the actions that a workflow uses, line by line: what a comment says beside them counts, too."""
    for line in text.splitlines():
        match = USES.fullmatch(line[:LONGEST_LINE])
        if match:
            yield Dependency("action", match["name"], match["ref"], match["said"] or "")


READERS = {
    REQUIREMENTS: read_requirements,
    r"(.*/)?pyproject\.toml": read_pyproject,
    r"(.*/)?environment\.ya?ml": read_environment,
    r"(.*/)?package\.json": read_package_json,
    r"\.github/workflows/[^/]+\.ya?ml": read_workflow,
    r"(.*/)?action\.ya?ml": read_workflow,
}


def _requirement(text: str) -> Dependency:
    if len(text) > LONGEST_LINE:
        raise UnreadableError("a requirement of more than 1,000 characters")
    try:
        parsed = Requirement(text)
    except InvalidRequirement as error:
        raise UnreadableError(f"{text!r} is no requirement") from error
    return Dependency("pypi", parsed.name, "" if parsed.url else str(parsed.specifier))


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> Iterable[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
