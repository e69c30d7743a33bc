"""Promises of reading what a repository declares: every form, and no harm from any content."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_maintenance.health.manifests import Dependency, Manifest, read_manifests
from repo_maintenance.health.poetry import poetry_specifier
from repo_maintenance.health.tree import Tree
from tests.unit.health.making import commit

REQUIREMENTS = """\
# a comment
numpy==1.26.4  # pinned
Requests[socks]>=2,<3 ; python_version > '3.8'
-r other.txt
-e .
./local
https://example.org/a.whl
bare
pandas==2.0 \\
  --hash=sha256:abc
mine @ git+https://github.com/acme/mine
"""
PYPROJECT = """\
[build-system]
requires = ["hatchling>=1"]
[project]
name = "x"
dependencies = ["numpy<2"]
[project.optional-dependencies]
dev = ["ruff==0.1"]
[dependency-groups]
test = ["pytest<8", {include-group = "dev"}]
[tool.poetry.dependencies]
python = "^3.9"
scipy = "^1.2"
jax = {version = "~0.3", optional = true}
[tool.poetry.group.docs.dependencies]
sphinx = "7.0"
"""
ENVIRONMENT = """\
dependencies:
  - python=3.11
  - pip:
    - numpy==1.0
    - -r other.txt
"""
PACKAGE = """\
{
  "dependencies": {"react": "^17.0.0"},
  "devDependencies": {"@types/node": "18"},
  "peerDependencies": {"a": "1"},
  "optionalDependencies": {"odd": 3}
}
"""
WORKFLOW = """\
jobs:
  a:
    steps:
      - uses: actions/checkout@v3
      - name: b
        uses: "actions/cache/save@v4"
      - uses: ./local
      - uses: docker://alpine:3
      - uses: a/b@0123456789 # v1.2.3 of May
"""
DECLARED = {
    "requirements.txt": (REQUIREMENTS, ["numpy ==1.26.4", "Requests <3,>=2", "bare ", "pandas ==2.0"]),
    "requirements/dev.txt": ("black<24\n", ["black <24"]),
    "sub/requirements-test.txt": ("pytest~=7.1\n", ["pytest ~=7.1"]),
    "pyproject.toml": (
        PYPROJECT,
        [
            "numpy <2",
            "hatchling >=1",
            "ruff ==0.1",
            "pytest <8",
            "scipy <2,>=1.2",
            "jax <0.4,>=0.3",
            "sphinx ==7.0",
        ],
    ),
    "environment.yml": (ENVIRONMENT, ["numpy ==1.0"]),
    "package.json": (PACKAGE, ["react ^17.0.0", "@types/node 18"]),
    ".github/workflows/ci.yml": (
        WORKFLOW,
        ["actions/checkout v3", "actions/cache v4", "a/b 0123456789"],
    ),
}
SPOILT = {
    "requirements.txt": "numpy==\x00\x01 ===\n",
    "requirements/long.txt": "a" * 2000,
    "pyproject.toml": "[project\n",
    "sub/pyproject.toml": "a = " + "[" * 50_000,
    "environment.yml": "dependencies: [\n",
    "sub/environment.yml": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "package.json": "{",
    "sub/package.json": "[" * 100_000,
    "list/package.json": "[1, 2]",
}
WELL_FORMED_BUT_ODD = {
    "pyproject.toml": 'project = 3\ntool = "x"\ndependency-groups = [1]\n',
    "environment.yml": "- 1\n- 2\n",
    "sub/environment.yml": "dependencies: {pip: 3}\n",
    "package.json": '{"dependencies": ["a"]}',
    "sub/package.json": '{"dependencies": {"a": {"b": 1}}}',
    "x/environment.yaml": "!!python/object/apply:os.system ['false']\n",
}


def manifests(bare: Path) -> dict[str, Manifest]:
    """Return the manifests of a repository by path."""
    return {one.path: one for one in read_manifests(Tree(bare, "main"))}


@pytest.mark.parametrize("path", DECLARED)
def test_each_form_is_read(path: str, tmp_path: Path) -> None:
    """What is declared is read with its versions; options, paths and addresses are left out."""
    content, expected = DECLARED[path]

    (found,) = manifests(commit(tmp_path / "one.git", {path: content})).values()

    declared = [f"{one.name} {one.wanted}" for one in found.dependencies if one.name != "mine"]
    assert ("", expected) == (found.problem, declared)


def test_the_comment_beside_a_pinned_action_is_read(tmp_path: Path) -> None:
    """Whoever pins a commit says in a comment which version it is."""
    bare = commit(tmp_path / "one.git", {".github/workflows/ci.yml": WORKFLOW})

    assert (
        Dependency("action", "a/b", "0123456789", "v1.2.3")
        in manifests(bare)[".github/workflows/ci.yml"].dependencies
    )


@pytest.mark.parametrize("path", SPOILT)
def test_a_spoilt_file_is_named_with_its_fault(path: str, tmp_path: Path) -> None:
    """What can't be read is said in a line, and costs neither the run nor the memory."""
    (found,) = manifests(commit(tmp_path / "one.git", {path: SPOILT[path]})).values()

    assert (path, ()) == (found.path, found.dependencies)
    assert 0 < len(found.problem.splitlines()) < 2


@pytest.mark.parametrize("path", WELL_FORMED_BUT_ODD)
def test_other_types_than_expected_do_no_harm(path: str, tmp_path: Path) -> None:
    """A number where a table should be declares nothing; YAML makes no objects, and runs nothing."""
    (found,) = manifests(commit(tmp_path / "one.git", {path: WELL_FORMED_BUT_ODD[path]})).values()

    assert () == found.dependencies


@pytest.mark.parametrize("path", ["node_modules/x/package.json", "lib/vendor/y/requirements.txt"])
def test_others_code_is_left_out(path: str, tmp_path: Path) -> None:
    """What a repository carries of others' is not its own to mend."""
    assert {} == manifests(commit(tmp_path / "one.git", {path: "{"}))


def test_of_many_files_the_topmost_count(tmp_path: Path) -> None:
    """A repository of a thousand examples is read as far as its 50 manifests nearest to the top."""
    files = {f"d/{number:03}/requirements.txt": "a\n" for number in range(60)} | {"requirements.txt": "c\n"}

    found = manifests(commit(tmp_path / "one.git", files))

    assert (50, "requirements.txt") == (len(found), next(iter(found)))


@pytest.mark.parametrize(
    ("poetry", "python"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("1.2.*", "==1.2.*"),
        ("*", ""),
        (">=1,<2", ">=1,<2"),
        ("1.0 || 2.0", ""),
    ],
)
def test_poetrys_own_forms(poetry: str, python: str) -> None:
    """The examples of Poetry's documentation mean what it says that they mean."""
    assert python == poetry_specifier(poetry)
