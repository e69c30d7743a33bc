"""What docs/github-action.md shows can be pasted: each example is checked as GitHub would."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from repo_maintenance.settings import load_settings
from tests.workflow.workspace import PROJECT

PAGE = PROJECT / "docs" / "github-action.md"
BIN = Path(sys.executable).parent
OURS = "my-org/action-repo-maintenance"
# A tag of ours is what a reader begins with, and the page says so; all else is pinned by its commit.
POLICY = {
    "rules": {
        **yaml.safe_load((PROJECT / ".github" / "zizmor.yml").read_text(encoding="utf-8"))["rules"],
        "unpinned-uses": {"config": {"policies": {f"{OURS}": "ref-pin", "*": "hash-pin"}}},
    }
}


def blocks(language: str) -> list[str]:
    """Return the code blocks of one language."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


WORKFLOWS = [block for block in blocks("yaml") if "\njobs:\n" in block]
CONFIGURATIONS = [block for block in blocks("yaml") if "\njobs:\n" not in block]


def checked(*command: str | Path, folder: Path) -> str:
    """Return what a linter said, or fail with it."""
    done = subprocess.run([*command], cwd=folder, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def write(folder: Path, workflow: str) -> Path:
    """Write a workflow to where GitHub looks for it."""
    path = folder / ".github" / "workflows" / "example.yml"
    path.parent.mkdir(parents=True)
    path.write_text(workflow, encoding="utf-8")
    return path


def steps_of(workflow: str) -> list[dict[str, Any]]:
    """Return the steps of a workflow that use the action."""
    jobs = yaml.safe_load(workflow)["jobs"].values()
    return [step for job in jobs for step in job["steps"] if step.get("uses", "").startswith(f"{OURS}@")]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=range(len(WORKFLOWS)))
def test_each_example_passes_githubs_schema_and_linters(workflow: str, tmp_path: Path) -> None:
    """A workflow that is pasted is one that GitHub takes, and that strict linters find nothing in."""
    path = write(tmp_path, workflow)
    policy = tmp_path / "zizmor.yml"
    policy.write_text(yaml.safe_dump(POLICY))

    schema = ["--builtin-schema", "vendor.github-workflows"]
    checked(BIN / "check-jsonschema", *schema, path, folder=tmp_path)
    checked(BIN / "actionlint", path, folder=tmp_path)
    checked(BIN / "zizmor", "--offline", "--persona=auditor", "--config", policy, path, folder=tmp_path)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=range(len(WORKFLOWS)))
def test_each_example_gives_inputs_that_there_are(workflow: str) -> None:
    """No example has an input that the action does not know, or a secret where it is not masked."""
    known = set(load_action()["inputs"])

    steps = steps_of(workflow)

    assert steps
    assert all(set(step.get("with", {})) <= known for step in steps)
    assert all("secrets." not in str(step.get("with", {})) for step in steps)


def test_the_linters_find_what_is_wrong(tmp_path: Path) -> None:
    """These checks can fail: an input in a shell's command line is found."""
    path = write(tmp_path, WORKFLOWS[1].replace('echo "$NAMES"', "echo '${{ github.head_ref }}'"))

    with pytest.raises(AssertionError, match="template-injection"):
        checked(BIN / "zizmor", "--offline", "--persona=auditor", path, folder=tmp_path)


def test_each_configuration_shown_can_be_used() -> None:
    """Whoever pastes a configuration has one that is valid."""
    assert CONFIGURATIONS
    assert all(load_settings(yaml.safe_load(shown), {}).backup.s3 for shown in CONFIGURATIONS)


def test_the_settings_that_examples_make_by_variables_exist() -> None:
    """Each ``REPO_MAINTENANCE_…`` in an example sets a key that there is."""
    steps = [step for workflow in WORKFLOWS for step in steps_of(workflow)]
    variables = {name: str(value) for step in steps for name, value in step.get("env", {}).items()}
    ours = {name: value for name, value in variables.items() if name.startswith("REPO_MAINTENANCE_")}

    settings = load_settings(yaml.safe_load(CONFIGURATIONS[0]), ours)

    assert 2 == len(ours)
    assert 20_000 == settings.verify.budget_mb


def test_the_page_names_every_input_and_output() -> None:
    """The tables have each input with its default, and each output, of action.yml; and no other."""
    action = load_action()
    rows = re.findall(r"^\| `([a-z-]+)` \|([^|]*)\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    inputs = {name: default.strip().strip("`") for name, default in rows if name in action["inputs"]}

    assert {name: one["default"] for name, one in action["inputs"].items()} == inputs
    assert [*action["inputs"], *action["outputs"]] == [name for name, _cell in rows]


def test_the_trust_policy_is_for_one_repository_alone() -> None:
    """Whoever pastes the trust policy lets exactly one repository's branch take on the role."""
    (policy,) = [json.loads(block) for block in blocks("json")]
    (statement,) = policy["Statement"]

    assert "sts:AssumeRoleWithWebIdentity" == statement["Action"]
    (operator,) = statement["Condition"]
    assert "StringEquals" == operator
    issuer = "token.actions.githubusercontent.com"
    assert {
        f"{issuer}:aud": "sts.amazonaws.com",
        f"{issuer}:sub": "repo:my-org/backups:ref:refs/heads/main",
    } == statement["Condition"][operator]


def load_action() -> dict[str, Any]:
    """Return what action.yml says."""
    content: dict[str, Any] = yaml.safe_load((PROJECT / "action.yml").read_text(encoding="utf-8"))
    return content
