"""The action as its users have it: its steps really run, against GitHub's API, git over HTTP, and S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.action.runner import JobRun, Runner, run_own_workflow
from tests.action.stubs import installed_packages
from tests.servers.github import Account, FakeGitHub
from tests.servers.repositories import corrupt
from tests.servers.seaweed import SeaweedServer

TOKEN = "ghp_" + "z9Y8x7W6v5U4t3S2r1Q0p9O8n7M6l5K4j3I2"
NAMES = ["lecture-intro", "lecture-python", "with-wiki"]


class Organization:
    """An organisation upstream, a bucket, and a repository whose workflow backs it up."""

    def __init__(self, github: FakeGitHub, seaweed: SeaweedServer, folder: Path, linked: str) -> None:
        self.github = github
        self.client = seaweed.client()
        self.bucket = seaweed.new_bucket()
        for name in NAMES:
            github.add_repository("acme", name, has_wiki=name == "with-wiki")
        store = {"bucket": self.bucket, "region": "us-east-1", "endpoint_url": seaweed.endpoint_url}
        config = {
            "backup": {"organization": "acme", "github": {"api_url": github.api_url}, "s3": store},
            "alerts": {"max_age_days": 40},
        }
        self.runner = Runner(
            folder, yaml.safe_dump(config), {**seaweed.environment(), "GITHUB_TOKEN": TOKEN}, linked
        )

    def stored(self) -> list[str]:
        """Return the names of the repositories that have a backup."""
        found = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return sorted(item["Key"].split("/")[1] for item in found if item["Key"].endswith(".tar.gz"))


@pytest.fixture
def organization(seaweed: SeaweedServer, tmp_path: Path) -> Iterator[Organization]:
    """Return an organisation of three repositories, not yet backed up."""
    with FakeGitHub(tmp_path / "github", tokens={TOKEN: Account("robot", scopes="repo")}) as github:
        yield Organization(github, seaweed, tmp_path / "jobs", installed_packages())


def test_a_backup_gives_outputs_a_page_and_an_artifact(organization: Organization) -> None:
    """A job that uses the action has every repository stored, counts, a page, and logs to keep."""
    job = organization.runner.run()

    assert 0 == job.code, job.output
    assert NAMES == organization.stored()
    assert {
        "total": "3",
        "backed-up": "3",
        "up-to-date": "0",
        "failed": "0",
        "failed-names": "[]",
        "report": "",
    } == job.outputs
    assert "✅ Backup of GitHub organisation or user acme" in job.page
    assert "| lecture-python | backed up |" in job.page
    assert [] == job.commands("error")
    kept = job.artifact()
    assert {"results/summary.json", "results/summary.md", "results/logs/action.log"} <= kept
    assert {f"results/logs/mirror/{name}.log" for name in NAMES} <= kept
    assert any(name.startswith(".snakemake/log/") for name in kept)
    assert_no_secret(job)


def test_a_failure_is_annotated_and_ends_the_job(organization: Organization) -> None:
    """A repository that is damaged upstream is named on the page, the job fails, the others are stored."""
    corrupt(organization.github.repository("acme", "lecture-python").path)

    job = organization.runner.run()

    assert 1 == job.code, job.output
    assert "outcome=failure" in job.output
    assert ["lecture-intro", "with-wiki"] == organization.stored()
    assert ("3", "2", "1") == tuple(job.outputs[name] for name in ("total", "backed-up", "failed"))
    assert ["lecture-python"] == json.loads(job.outputs["failed-names"])
    (error,) = job.commands("error")
    assert error.startswith("::error title=mirror of lecture-python failed::damaged upstream: "), error
    assert "| lecture-python | failed |" in job.page
    assert "results/logs/mirror/lecture-python.log" in job.artifact()
    assert_no_secret(job)


def test_a_dry_run_shows_what_would_be_done(organization: Organization) -> None:
    """With ``dry-run``, the page has the preview, the counts are empty, and nothing is stored."""
    job = organization.runner.run(dry_run="true")

    assert 0 == job.code, job.output
    assert [] == organization.stored()
    assert "## Preview of backup" in job.page
    assert all(f"{name}  " in job.page for name in NAMES)
    assert "Job stats" not in job.page
    assert ("", "") == (job.outputs["total"], job.outputs["failed"])


def test_a_wrong_input_is_refused_in_one_line(organization: Organization) -> None:
    """An input that can't be used fails the job with an annotation that names it; nothing is asked."""
    job = organization.runner.run(task="back-up", cores="none")

    assert 1 == job.code
    (error,) = job.commands("error")
    assert "input task: " in error
    assert "'back-up'" in error
    assert "%0Ainput cores: " in error
    assert [] == organization.github.requests


def test_a_configuration_that_cant_be_used_is_said_on_the_page(organization: Organization) -> None:
    """Where a run ends before it begins, the annotation gives the reason, and not only that it failed."""
    organization.runner.config = "backup: {organisation: acme}\n"

    job = organization.runner.run()

    assert 1 == job.code
    (error,) = job.commands("error")
    assert "did you mean 'organization'?" in error
    assert "did you mean 'organization'?" in job.page
    assert "" == job.outputs["failed"]


def test_inputs_go_before_the_configuration(organization: Organization) -> None:
    """``organization`` and ``force`` of the step win over the file, so that one file serves several."""
    organization.github.add_repository("other", "their-notes")

    job = organization.runner.run(organization="other", force="true")

    assert 0 == job.code, job.output
    assert ["their-notes"] == organization.stored()


def test_what_an_input_holds_is_never_run(organization: Organization) -> None:
    """An input that looks like a shell's command stays what it is: text."""
    job = organization.runner.run(organization="$(touch ran);`touch ran`", dry_run="true")

    assert 1 == job.code
    assert not (job.left_behind / "ran").exists()


@pytest.mark.parametrize("task", ["preflight", "verify", "report", "prune", "health"])
def test_every_task_has_a_page(organization: Organization, task: str) -> None:
    """What a task found stands on the job's page, so that nobody has to open a log to see it."""
    assert 0 == organization.runner.run().code

    job = organization.runner.run(task=task)

    assert 0 == job.code, job.output
    assert {
        "preflight": "ok       github: reachable",
        "verify": "verify: 3 of 3 done, 0 failed",
        "report": "lecture-python",
        "prune": "Nothing is deleted: retention.enabled is false",
        "health": "lecture-python",
    }[task] in job.page
    assert "Job stats" not in job.page
    assert ("results/report/index.html" == job.outputs["report"]) == (task == "report")
    assert (task == "report") == ("results/report/report.json" in job.artifact())


def test_our_own_workflow_uses_the_action(tmp_path: Path) -> None:
    """A fresh copy of this repository, started by hand, backs the example up; that won't last, it says."""
    job = run_own_workflow(tmp_path, "backup.yml", installed_packages())

    assert 0 == job.code, job.output
    assert "✅ Backup of the bundled example organisation" in job.page
    (warning,) = job.commands("warning")
    assert warning.startswith("::warning title=These backups are not kept::")
    assert {"results/summary.json", "results/logs/action.log"} <= job.artifact()


def test_mirrors_are_kept_between_runs(organization: Organization) -> None:
    """With ``cache``, the mirrors go to GitHub's cache, also from a job in which a repository failed."""
    corrupt(organization.github.repository("acme", "lecture-python").path)

    job = organization.runner.run(cache="true")

    assert 1 == job.code, job.output
    (kept,) = [path for path in job.stubs.caches.iterdir() if "mirrors" in path.name]
    assert {"lecture-intro", "with-wiki"} <= {path.name.partition(".")[0] for path in kept.rglob("*.git")}


def test_the_environment_is_installed_and_cached(seaweed: SeaweedServer, tmp_path: Path) -> None:
    """Where nothing is cached, the action installs what it needs once a job, and caches that."""
    with FakeGitHub(tmp_path / "github", tokens={TOKEN: Account("robot", scopes="repo")}) as github:
        organization = Organization(github, seaweed, tmp_path / "jobs", linked="")

        job = organization.runner.run(then="verify")

    assert 0 == job.code, job.output
    assert NAMES == organization.stored()
    assert 1 == job.output.count("Success - Main Install")
    assert "verify: 3 of 3 done, 0 failed" in job.output
    assert 2 == len(list(job.stubs.artifacts.iterdir()))
    (kept,) = job.stubs.caches.iterdir()
    assert kept.name.startswith("repo-maintenance-Linux-X64-py3.11.99-")
    assert (kept / "bin" / "snakemake").exists()
    assert (kept / "complete").exists()


def assert_no_secret(job: JobRun) -> None:
    """Check that neither the token nor the key of S3 stands in the log or in the artifact."""
    (folder,) = job.stubs.artifacts.iterdir()
    kept = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    for secret in (TOKEN, "test-secret-key"):
        assert all(secret not in text for text in [job.output, *kept])
