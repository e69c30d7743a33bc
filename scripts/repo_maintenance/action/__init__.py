"""The GitHub Action: its inputs as a run of the workflow, and a run as outputs, annotations and a page.

``action.yml`` calls ``python -m repo_maintenance.action run``, and then ``… tell``, also after a failure.
"""
