"""``python -m repo_maintenance.action run|tell``: the steps of ``action.yml`` that are more than a line."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from repo_maintenance.action.commands import Annotation, Mute, find_secrets, mask
from repo_maintenance.action.inputs import Inputs, read_inputs
from repo_maintenance.action.outcome import annotate, gather, kept_files, list_outputs, render_page
from repo_maintenance.action.running import forget_earlier_run, run_muted
from repo_maintenance.errors import SettingsError
from repo_maintenance.settings import ReportSettings, load_settings


def run(environment: Mapping[str, str]) -> int:
    """Run the workflow as the inputs say; returns its exit code."""
    if environment.get("GITHUB_ACTIONS") == "true":
        for secret in find_secrets(environment):
            _say(mask(secret))
    try:
        inputs = read_inputs(environment)
    except SettingsError as error:
        _say(str(Annotation("error", "repo-maintenance", str(error))))
        return 1
    forget_earlier_run()
    command = inputs.command(sys.executable, Path(environment["GITHUB_ACTION_PATH"]))
    return run_muted(command, {**environment, **inputs.overrides()}, sys.stdout.buffer, Mute.new())


def tell(environment: Mapping[str, str]) -> int:
    """Write outputs, annotations and the job's page from what the run left behind; always returns 0."""
    ended = environment["RUN_ENDED"]
    try:
        inputs = read_inputs(environment)
    except SettingsError:
        return 0  # the run has said so
    reports = _reports(inputs, environment)
    outcome = gather(
        inputs.task,
        ended,
        is_preview=inputs.dry_run,
        reports=reports,
        goes_with_runner=environment.get("RUNNER_ENVIRONMENT") != "self-hosted",
    )
    for annotation in annotate(outcome):
        _say(str(annotation))
    _append(environment["GITHUB_STEP_SUMMARY"], render_page(outcome))
    outputs = {**list_outputs(outcome), "artifact": _artifact_name(inputs, environment)}
    files = "\n".join(str(path) for path in kept_files(reports))
    _append(environment["GITHUB_OUTPUT"], "".join(f"{name}={value}\n" for name, value in outputs.items()))
    _append(environment["GITHUB_OUTPUT"], f"files<<~end-of-files~\n{files}\n~end-of-files~\n")
    return 0


def _reports(inputs: Inputs, environment: Mapping[str, str]) -> Path:
    """Return where reports are written; where the configuration can't be used, where they would be."""
    try:
        content = yaml.safe_load(inputs.config.read_text(encoding="utf-8"))
        return load_settings(content or {}, environment).report.directory
    except (SettingsError, yaml.YAMLError, TypeError, AttributeError, ValueError):
        return ReportSettings().directory


def _artifact_name(inputs: Inputs, environment: Mapping[str, str]) -> str:
    """Return a name of its own, also in a matrix: GitHub refuses a second artifact of a name."""
    run, attempt = environment.get("GITHUB_RUN_ID", "0"), environment.get("GITHUB_RUN_ATTEMPT", "1")
    return f"{inputs.task}-{run}-{attempt}-{secrets.token_hex(3)}"


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8") as stream:
        stream.write(text)


def _say(line: str) -> None:
    print(line, flush=True)


VERBS = {"run": run, "tell": tell}

if __name__ == "__main__":
    sys.exit(VERBS[sys.argv[1]](os.environ))
