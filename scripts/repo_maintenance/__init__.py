"""Back up every repository of a GitHub organisation, and prove that each backup can be restored.

The library behind the workflow: it holds all logic and knows nothing of Snakemake.
"""

__version__ = "0.1.0"
