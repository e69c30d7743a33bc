"""Local stand-ins for the actions that `action.yml` uses: each does the essential thing, on this machine."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.workflow.workspace import PROJECT

USES = re.compile(r"uses: (?P<repository>[\w-]+/[\w-]+)(?P<path>/[\w-]+)?@(?P<ref>[0-9a-f]{40})")

# With the Python that made the environment of the tests.
SETUP_PYTHON = """\
name: setup-python
description: A stand-in
inputs:
  python-version: {required: true}
  update-environment: {required: true}
outputs:
  python-path: {value: "${{ steps.found.outputs.python-path }}"}
  python-version: {value: "${{ steps.found.outputs.python-version }}"}
runs:
  using: composite
  steps:
    - id: found
      shell: bash
      run: |
        echo "python-path=PYTHON" >> "$GITHUB_OUTPUT"
        echo "python-version=3.11.99" >> "$GITHUB_OUTPUT"
"""
# Finds what its like has saved: under the key, or else the newest that begins as a restore key says.
RESTORE = """\
name: restore
description: A stand-in
inputs:
  path: {required: true}
  key: {required: true}
  restore-keys: {default: ""}
outputs:
  cache-hit: {value: "${{ steps.found.outputs.cache-hit }}"}
runs:
  using: composite
  steps:
    - id: found
      shell: bash
      env:
        FOLDER: ${{ inputs.path }}
        KEY: ${{ inputs.key }}
        OLDER: ${{ inputs.restore-keys }}
      run: exec "PYTHON" "PLACE/restore.py"
"""
RESTORE_SCRIPT = """\
import os, shutil, sys
from pathlib import Path

caches, folder = Path("CACHES"), Path(os.environ["FOLDER"])
key, older = os.environ["KEY"], os.environ["OLDER"]
names = [path.name for path in sorted(caches.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)]
flat = key.replace("/", "+")
found = [name for name in names if name == flat]
found += [name for name in names if older and name.startswith(older.strip().replace("/", "+"))]
if found:
    shutil.copytree(caches / found[0], folder, symlinks=True)
elif key.startswith("repo-maintenance-Linux") and "LINKED":
    # As if it had been cached: an environment that holds what the environment of the tests holds.
    os.system(f"'{sys.executable}' -m venv --without-pip '{folder}'")
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "tests.pth").write_text("LINKED")
    found = [flat]
with open(os.environ["GITHUB_OUTPUT"], "a") as stream:
    stream.write(f"cache-hit={'true' if found[:1] == [flat] else 'false'}\\n")
print("found in the cache:", found[:1])
"""
SAVE = """\
name: save
description: A stand-in
inputs:
  path: {required: true}
  key: {required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        FOLDER: ${{ inputs.path }}
        KEY: ${{ inputs.key }}
      run: |
        if [ -d "$FOLDER" ]; then cp -a "$FOLDER" "CACHES/$(tr / + <<< "$KEY")"; fi
"""
# Where there is no role, there is nothing to take on: this one is never reached.
TAKE_ROLE = """\
name: configure-aws-credentials
description: A stand-in
inputs:
  role-to-assume: {required: true}
  role-duration-seconds: {required: true}
  aws-region: {required: true}
runs:
  using: composite
  steps:
    - shell: bash
      run: exit 1
"""
# An artifact is a folder of its name; a second one of a name is refused, as GitHub does.
UPLOAD = """\
name: upload-artifact
description: A stand-in
inputs:
  name: {required: true}
  path: {required: true}
  include-hidden-files: {required: true}
  if-no-files-found: {required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{ inputs.name }}
        FILES: ${{ inputs.path }}
      run: |
        mkdir "ARTIFACTS/$NAME"
        while read -r file; do cp -a --parents "$file" "ARTIFACTS/$NAME/"; done <<< "$FILES"
"""


@dataclass(frozen=True)
class Stubs:
    """The stand-ins, as folders, with what has been cached and uploaded."""

    place: Path
    linked: str = ""
    """What a cached environment holds: the folders of an installed one; empty to have none cached."""

    @property
    def caches(self) -> Path:
        """Where caches lie, each under its key."""
        return self.place / "caches"

    @property
    def artifacts(self) -> Path:
        """Where artifacts lie, each under its name."""
        return self.place / "artifacts"

    def write(self, pages: list[str]) -> list[str]:
        """Write the stand-ins for what some workflows and actions use; returns act's options for them."""
        scripts = {
            "actions/setup-python": {"action.yml": SETUP_PYTHON},
            "actions/cache": {
                "restore/action.yml": RESTORE,
                "save/action.yml": SAVE,
                "restore.py": RESTORE_SCRIPT,
            },
            "actions/upload-artifact": {"action.yml": UPLOAD},
            "aws-actions/configure-aws-credentials": {"action.yml": TAKE_ROLE},
        }
        self.caches.mkdir(parents=True)
        self.artifacts.mkdir()
        for repository, files in scripts.items():
            for name, text in files.items():
                target = self.place / repository / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(self._fill(text, self.place / repository))
        pinned = {(match["repository"], match["ref"]) for page in pages for match in USES.finditer(page)}
        return [
            f"--local-repository={repository}@{ref}={self.place / repository}"
            for repository, ref in sorted(pinned)
            if repository in scripts
        ]

    def _fill(self, text: str, place: Path) -> str:
        python = str(Path(sys.base_prefix, "bin", "python3"))
        for word, value in {
            "PYTHON": python,
            "PLACE": str(place),
            "CACHES": str(self.caches),
            "ARTIFACTS": str(self.artifacts),
            "LINKED": self.linked.replace("\n", "\\n"),
        }.items():
            text = re.sub(rf"\b{word}\b", value.replace("\\", r"\\"), text)
        return text


def installed_packages() -> str:
    """Return the folders in which the environment of the tests finds its packages, one a line."""
    site = next(path for path in sys.path if path.endswith("site-packages"))
    return f"{PROJECT / 'scripts'}\n{site}\n"
