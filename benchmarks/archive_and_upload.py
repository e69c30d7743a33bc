"""Archives and uploads mirrors as the workflow's jobs do: `archive_and_upload.py MIRRORS FOLDER STORE`.

MIRRORS holds a folder for each mirror; STORE is the JSON of the keys below `backup` that name the store.
It says that it is ready, and begins once it is told to.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

from repo_maintenance.archive import write_tarball
from repo_maintenance.settings import load_settings
from repo_maintenance.stores import open_store


def main() -> None:
    """Archive and upload."""
    mirrors, folder = Path(sys.argv[1]), Path(sys.argv[2])
    store = open_store(load_settings({"backup": json.loads(sys.argv[3])}, {}).backup)
    print("ready", flush=True)
    sys.stdin.readline()
    date = dt.datetime.now(dt.UTC).date()
    for mirror in sorted(mirrors.iterdir()):
        tarball = folder / f"{mirror.name}-{date:%Y%m%d}.tar.gz"
        digests = write_tarball(mirror, b"{}", tarball, mtime=0)
        metadata = {"repository": mirror.name, "refs_digest": "0", "sha256": digests.sha256}
        store.put(f"{mirror.name}/{tarball.name}", tarball, digests, metadata, replaces=None)


if __name__ == "__main__":
    main()
