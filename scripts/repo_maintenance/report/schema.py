"""The JSON schema of ``report.json``, generated from its types.

``python -m repo_maintenance.report.schema > docs/report-schema.json`` writes it anew.
"""

from __future__ import annotations

import json
import sys

from repo_maintenance.overview import Overview


def render_report_schema() -> str:
    """Return the JSON schema (draft 2020-12) of a report, as text that ends in a newline."""
    schema = Overview.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "repo-maintenance report"
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_report_schema())
