"""Counts what is sent to S3 again, and tells of every request where everything is logged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from repo_maintenance.tally import count_retry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)


def count_retries(client: S3Client) -> None:
    """Have each attempt of a client but the first counted.

    Botocore makes a new request for each attempt, and notes its number for the header ``amz-sdk-request``.
    """

    def look(request: Any, operation_name: str, **_others: Any) -> None:
        attempt = request.context.get("retries", {}).get("attempt", 1)
        logger.debug("S3 %s, attempt %d", operation_name, attempt)
        if attempt > 1:
            count_retry("s3")

    client.meta.events.register("request-created.s3", look)
