"""DynamoDB and S3: keys from the settings, or else AWS's own chain, which finds roles and renews what runs out."""

from typing import Any

import boto3
import fsspec
from botocore.config import Config

from streams.settings import AwsSettings, DynamoSettings, RegistrySettings


def dynamodb_client(settings: DynamoSettings, config: Config) -> Any:
    """A boto3 client of DynamoDB with credentials of its own."""
    keys = {f"aws_{name}": secret for name, secret in _keys(settings).items()}
    return boto3.session.Session().client(
        "dynamodb", region_name=settings.region, endpoint_url=settings.endpoint, config=config, **keys
    )


def registry_files(settings: RegistrySettings) -> tuple[Any, str]:
    """The registry's file system, and its root there."""
    # Another process may have written since we last looked: never list from a cache.
    options: dict[str, Any] = {"use_listings_cache": False}
    if settings.url.startswith("s3://"):
        names = {"access_key_id": "key", "secret_access_key": "secret", "session_token": "token"}
        options |= {names[name]: secret for name, secret in _keys(settings).items()}
        options |= {"endpoint_url": settings.s3_endpoint, "skip_instance_cache": True}
    files, root = fsspec.url_to_fs(settings.url.rstrip("/"), **options)
    return files, str(root).rstrip("/")


def _keys(settings: AwsSettings) -> dict[str, str]:
    """Those that are set."""
    found = {name: getattr(settings, name) for name in AwsSettings.model_fields}
    return {name: secret.get_secret_value() for name, secret in found.items() if secret is not None}
