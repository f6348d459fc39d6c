"""DynamoDB and S3 with keys that run out and with roles, against an AWS that checks signatures, tokens and rights.

moto does so when it is told to. It knows DynamoDB's rights by action alone, not by table.
"""

import http.client
import json
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from schemas.errors import RegistryError, StoreError
from streams.doctor import examine
from streams.label_store import LabelStore
from streams.label_store.rows import to_label
from streams.parts.embedded_aws import EmbeddedAws
from streams.registry import Registry
from streams.settings import DynamoSettings, RegistrySettings, Settings
from tests.conftest import MakeSettings
from tests.parts import running as running_part
from tests.streams.making_labels import a_row
from tests.streams.trainer_parts import entry

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
BUCKET = "my-bucket"


def policy_in_the_docs(name: str) -> dict[str, Any]:
    """As docs/security.md shows it, for any table."""
    text = (ROOT / "docs" / "security.md").read_text()
    (found,) = re.findall(rf"<!-- policy {name} -->\n```json\n(.*?)```", text, re.DOTALL)
    policy: dict[str, Any] = json.loads(found)
    for statement in policy["Statement"]:
        if statement["Resource"].startswith("arn:aws:dynamodb"):
            statement["Resource"] = "*"
    return policy


@dataclass(frozen=True, slots=True)
class StrictAws:
    """An AWS with one bucket, which lets nobody in without a right."""

    url: str

    def client(self, service: str, **keys: str) -> Any:
        """A client; without keys one that may do everything as long as the doors are open."""
        keys = keys or {"aws_access_key_id": "root", "aws_secret_access_key": "root"}
        return boto3.session.Session().client(service, endpoint_url=self.url, region_name=REGION, **keys)

    def open(self) -> None:
        """Let everybody do everything."""
        self._free_actions("inf")

    def close(self, but: int = 0) -> None:
        """Check every request from now on, but for the next few."""
        self._free_actions(str(but))

    def user(self, *policies: str, **more: Any) -> dict[str, str]:
        """Keys of a new user with these policies of the docs, and others by name."""
        iam, name = self.client("iam"), f"user-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        for one, policy in {**{one: policy_in_the_docs(one) for one in policies}, **more}.items():
            iam.put_user_policy(UserName=name, PolicyName=one.replace(" ", "-"), PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}

    def role(self, *policies: str) -> str:
        """The ARN of a new role with these policies of the docs, which any user with the right may assume."""
        iam, name = self.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for one in policies:
            document = json.dumps(policy_in_the_docs(one))
            iam.put_role_policy(RoleName=name, PolicyName=one.replace(" ", "-"), PolicyDocument=document)
        return str(arn)

    def temporary_keys(self, role: str) -> dict[str, str]:
        """What STS gives for the role."""
        found = self.client("sts").assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]
        return {
            "access_key_id": found["AccessKeyId"],
            "secret_access_key": found["SecretAccessKey"],
            "session_token": found["SessionToken"],
        }

    def _free_actions(self, number: str) -> None:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        connection.request("POST", "/moto-api/reset-auth", number)
        assert connection.getresponse().status == http.client.OK
        connection.close()


@pytest.fixture(scope="module")
def aws_server() -> Iterator[StrictAws]:
    """One of our own: its doors are shut while others use theirs."""
    for part in running_part(EmbeddedAws()):
        aws = StrictAws(part.url)
        aws.open()
        aws.client("s3").create_bucket(Bucket=BUCKET)
        yield aws


@pytest.fixture
def aws(aws_server: StrictAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StrictAws:
    """With open doors, and nothing that AWS's own chain could find."""
    aws_server.open()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", aws_server.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    return aws_server


def settings_of(aws: StrictAws, make_settings: MakeSettings, keys: dict[str, str]) -> Settings:
    """Table and registry of the test's own, reached with these keys alone."""
    nobody = {"access_key_id": None, "secret_access_key": None}
    return make_settings(
        None,
        aws.url,
        dynamodb=nobody | keys,
        registry={"url": f"s3://{BUCKET}/wellsentry/{uuid.uuid4().hex[:8]}", "s3_endpoint": aws.url} | keys,
    )


def make_table(aws: StrictAws, settings: Settings) -> None:
    """As somebody who may: the policy of the first start."""
    keys: dict[str, Any] = aws.user("sink", "first start")
    aws.close()
    with LabelStore(DynamoSettings(endpoint=aws.url, table=settings.dynamodb.table, **keys)) as store:
        assert store.ensure_table()
    aws.open()


def store_a_label(settings: Settings) -> int:
    """As the sink does; how many labels it wrote."""
    with LabelStore(settings.dynamodb, settings.sink.model_copy(update={"max_attempts": 2})) as store:
        store.ensure_table()
        return store.write([to_label(a_row())]).labels


def store_a_model(settings: RegistrySettings) -> str:
    """As the trainer does, looked at again."""
    registry = Registry(settings)
    path = registry.store(entry())
    assert registry.entries("acme", "well-7", "load") == [path]
    return registry.update(path).digest


def test_temporary_keys_are_sent_with_their_token(aws: StrictAws, make_settings: MakeSettings) -> None:
    keys = aws.temporary_keys(aws.role("sink", "trainer"))
    settings = settings_of(aws, make_settings, keys)
    make_table(aws, settings)
    without = settings_of(aws, make_settings, {k: v for k, v in keys.items() if k != "session_token"})
    aws.close()
    assert store_a_label(settings) == 1
    assert store_a_model(settings.registry)
    with pytest.raises(StoreError, match="invalid"):
        store_a_label(without)
    with pytest.raises(RegistryError):
        store_a_model(without.registry)


def assumed(aws: StrictAws, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """A role that a user's keys in AWS's own files may assume."""
    role = aws.role("sink", "trainer")
    may = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}]}
    keys = aws.user(assume=may)
    config.write_text(
        f"[default]\nrole_arn = {role}\nsource_profile = base\n\n[profile base]\n"
        + "".join(f"aws_{name} = {value}\n" for name, value in keys.items())
    )


def web_identity(aws: StrictAws, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role by a cluster's token, as pods have it."""
    token = config.with_name("web-token")
    token.write_text("a-token-of-the-cluster")
    monkeypatch.setenv("AWS_ROLE_ARN", aws.role("sink", "trainer"))
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))


def environment(aws: StrictAws, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Temporary keys in AWS's own variables."""
    for name, value in aws.temporary_keys(aws.role("sink", "trainer")).items():
        monkeypatch.setenv(f"AWS_{name}".upper(), value)


@pytest.mark.parametrize(
    ("way", "unsigned"),  # a request with a cluster's token is not signed, and moto would refuse it
    [(assumed, 0), (web_identity, 1), (environment, 0)],
)
def test_without_keys_in_the_settings_aws_s_own_chain_finds_the_role(
    aws: StrictAws,
    make_settings: MakeSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: Any,
    unsigned: int,
) -> None:
    way(aws, tmp_path / "config", monkeypatch)
    settings = settings_of(aws, make_settings, {})
    make_table(aws, settings)
    aws.close(but=unsigned)
    assert store_a_label(settings) == 1
    aws.close(but=unsigned)
    assert store_a_model(settings.registry)


def test_keys_that_ran_out_are_fetched_anew_without_a_restart(
    aws: StrictAws, make_settings: MakeSettings, tmp_path: Path
) -> None:
    file, program = tmp_path / "keys.json", tmp_path / "keys.py"
    program.write_text(f"print(open({str(file)!r}).read())")
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {sys.executable} {program}\n")

    def hand_out() -> str:
        keys = aws.user("sink", "trainer")
        # boto3 asks anew before each request once keys end within ten minutes.
        ends = datetime.now(UTC) + timedelta(minutes=5)
        pair = {"AccessKeyId": keys["access_key_id"], "SecretAccessKey": keys["secret_access_key"]}
        file.write_text(json.dumps({"Version": 1, **pair, "Expiration": ends.isoformat()}))
        return keys["access_key_id"]

    first = hand_out()
    settings = settings_of(aws, make_settings, {})
    make_table(aws, settings)
    registry, models = Registry(settings.registry), [entry(), entry(minutes=1)]
    with LabelStore(settings.dynamodb, settings.sink.model_copy(update={"max_attempts": 2})) as store:
        aws.close()
        assert store.write([to_label(a_row())]).labels == 1
        registry.store(models[0])

        aws.open()
        (user,) = [
            user["UserName"]
            for user in aws.client("iam").list_users()["Users"]
            for key in aws.client("iam").list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
            if key["AccessKeyId"] == first
        ]
        aws.client("iam").delete_access_key(UserName=user, AccessKeyId=first)
        aws.close()
        with pytest.raises(StoreError):
            store.write([to_label(a_row())])
        with pytest.raises(RegistryError):
            registry.store(models[1])

        aws.open()
        hand_out()
        aws.close()
        assert store.write([to_label(a_row())]).labels == 1
        registry.store(models[1])
        assert len(registry.entries("acme", "well-7", "load")) == 2


@pytest.mark.parametrize(
    ("policies", "may"),
    [
        (("sink",), {"write"}),
        (("reader",), {"read"}),
        (("trainer",), {"models"}),
        (("sink", "reader", "trainer"), {"write", "read", "models"}),
    ],
)
def test_a_policy_of_the_docs_gives_its_right_and_no_other(
    aws: StrictAws, make_settings: MakeSettings, policies: tuple[str, ...], may: set[str]
) -> None:
    settings = settings_of(aws, make_settings, aws.user(*policies))
    make_table(aws, settings)

    def read() -> None:
        with LabelStore(settings.dynamodb, settings.sink.model_copy(update={"max_attempts": 2})) as store:
            list(store.rows())
            list(store.rows_of("acme", "well-7"))

    ways: dict[str, Callable[[], object]] = {
        "write": lambda: store_a_label(settings),
        "read": read,
        "models": lambda: store_a_model(settings.registry),
    }
    aws.close()
    for name, way in ways.items():
        if name in may:
            way()
        else:
            with pytest.raises((StoreError, RegistryError)):
                way()


def test_the_doctor_names_rights_that_are_missing(aws: StrictAws, make_settings: MakeSettings) -> None:
    settings = settings_of(aws, make_settings, aws.user("reader"))
    make_table(aws, settings)
    aws.close()
    found = {one.check: one for one in examine(settings) if one.check in ("dynamodb", "registry")}
    assert {one.health for one in found.values()} == {"fail"}
    assert "not authorized" in found["dynamodb"].what
    assert settings.dynamodb.secret_access_key is not None
    assert settings.dynamodb.secret_access_key.get_secret_value() not in str(found)
