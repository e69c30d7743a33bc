"""The JSON schema of the configuration, generated from the settings' types.

``python -m repo_maintenance.settings.schema > config/schema.json`` writes it anew.
"""

from __future__ import annotations

import json
import sys

from repo_maintenance.settings.models import Settings


def render_schema() -> str:
    """Return the JSON schema (draft 2020-12) of a configuration file, as text that ends in a newline."""
    schema = Settings.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "repo-maintenance configuration"
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_schema())
