"""What S3's refusals mean, and what to do about each."""

from __future__ import annotations

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from repo_maintenance.errors import AlreadyStoredError, StoreError

# Error codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_HINTS = {
    "AccessDenied": "allow the action in the bucket's or the role's policy; the README has one to copy",
    "403": "allow the action in the bucket's or the role's policy; the README has one to copy",
    "NoSuchBucket": "create the bucket, or correct backup.s3.bucket",
    "404": "create the bucket, or correct backup.s3.bucket",
    "PermanentRedirect": "the bucket is in another region; correct backup.s3.region",
    "301": "the bucket is in another region; correct backup.s3.region",
    "AuthorizationHeaderMalformed": "the bucket is in another region; correct backup.s3.region",
    "IllegalLocationConstraintException": "the bucket is in another region; correct backup.s3.region",
    "400": "the service refuses without saying why: check the credentials and backup.s3.region",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
    "InvalidToken": "check AWS_SESSION_TOKEN",
    "ExpiredToken": "the credentials have expired; get new ones",
    "RequestTimeTooSkewed": "set this machine's clock",
}
_KMS_HINT = "enable the key of backup.s3.kms_key_id, and let its policy allow this role to use it"
_CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


def explain(error: BotoCoreError | ClientError | Boto3Error, action: str, target: str) -> StoreError:
    """Return the error that a user reads: the action, the bucket or object, and a remedy."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        if code in _CONFLICTS:
            return AlreadyStoredError(f"{target} holds other content, which is not overwritten")
        hint = _KMS_HINT if code.startswith("KMS.") else _HINTS.get(code)
        reason = error.response.get("Error", {}).get("Message") or code
        return StoreError(f"can't {action} {target}: {code}: {reason}", hint=hint)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StoreError(
            f"can't {action} {target}: no AWS credentials",
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a role",
        )
    return StoreError(f"can't {action} {target}: {error}")
