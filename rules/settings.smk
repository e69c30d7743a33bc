"""Puts the library in reach, and refuses a configuration with a slip in it, before Snakemake reads it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.current_basedir).parent / "scripts"))

from repo_maintenance.errors import SettingsError
from repo_maintenance.settings.slips import refuse_slips

try:
    refuse_slips(Path("config/config.yaml"))
except SettingsError as error:
    sys.exit(f"Error: {error}")
