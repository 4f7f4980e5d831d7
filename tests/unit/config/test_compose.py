"""docker-compose.yml and Dockerfile: each service has only its own credentials, and every variable is one that we read."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from trial.config import env
from trial.config.deploy.make_secrets import make

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]

CONFIDENTIAL = {
    "setup": {
        "OWNER_DATABASE_URL",
        "DATABASE_URL",
        "UNBLINDED_DATABASE_URL",
        "ALLOCATOR_DATABASE_URL",
        "SECRET_KEY",
    },
    "web": {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"},
    "web-unblinded": {"UNBLINDED_DATABASE_URL", "UNBLINDED_REDIS_URL", "SECRET_KEY"},
    "worker-default": {"DATABASE_URL", "REDIS_URL"},
    "worker-unblinded": {"UNBLINDED_DATABASE_URL", "UNBLINDED_REDIS_URL"},
    "allocator": {"ALLOCATOR_DATABASE_URL", "REDIS_URL"},
    "beat-default": {"DATABASE_URL", "REDIS_URL"},
    "beat-unblinded": {"UNBLINDED_DATABASE_URL", "UNBLINDED_REDIS_URL"},
}
QUEUES = {
    "worker-default": "default",
    "worker-unblinded": "unblinded",
    "allocator": "allocation",
    "beat-default": "default",
    "beat-unblinded": "unblinded",
}


def test_services_are_these_and_no_other() -> None:
    assert set(SERVICES) == {*CONFIDENTIAL, "postgres", "valkey", "proxy"}


@pytest.mark.parametrize("name", CONFIDENTIAL)
def test_service_has_its_own_credentials_only_and_from_files(name: str) -> None:
    given: dict[str, str] = SERVICES[name]["environment"]
    files = {variable.removesuffix("_FILE"): path for variable, path in given.items() if variable.endswith("_FILE")}
    assert set(files) == CONFIDENTIAL[name]
    assert not {*given} & {*CONFIDENTIAL["setup"], "REDIS_URL", "UNBLINDED_REDIS_URL"}, "secrets come from files"
    assert {path.removeprefix("/run/secrets/") for path in files.values()} == set(SERVICES[name]["secrets"])
    assert [variable for variable, path in files.items() if path != f"/run/secrets/{variable.lower()}"] == []
    assert [v for v in given if v not in env.VARIABLES and v.removesuffix("_FILE") not in env.VARIABLES] == []
    assert "env_file" not in SERVICES[name]


@pytest.mark.parametrize("name", QUEUES)
def test_worker_works_on_its_own_queue(name: str) -> None:
    service = SERVICES[name]
    assert service["environment"]["WORKER_QUEUE"] == QUEUES[name]
    if "worker" in service["command"]:
        assert service["command"][service["command"].index("-Q") + 1] == QUEUES[name]
    assert ("solo" in service["command"]) == (name == "allocator")


def test_secrets_that_are_mounted_are_those_that_are_made(tmp_path: Path) -> None:
    made = make(tmp_path / "secrets")
    assert (
        set(made) == set(COMPOSE["secrets"]) == {secret for s in SERVICES.values() for secret in s.get("secrets", [])}
    )
    assert {s["file"] for s in COMPOSE["secrets"].values()} == {f"./secrets/{name}" for name in made}
    assert make(tmp_path / "secrets") == [], "what exists is left as it is"
    folder = tmp_path / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    owner = conninfo_to_dict((folder / "owner_database_url").read_text().strip())
    assert owner["password"] == (folder / "owner_password").read_text().strip()
    assert owner["user"] == SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    assert owner["dbname"] == SERVICES["postgres"]["environment"]["POSTGRES_DB"]
    users = {conninfo_to_dict((folder / n).read_text().strip())["user"] for n in made if n.endswith("database_url")}
    assert len(users) == 4
    password = re.search(r"//unblinded:([^@]+)@", (folder / "unblinded_redis_url").read_text())
    assert password is not None
    assert password[1] not in (folder / "users_acl").read_text(), "the list holds hashes"


def test_proxy_sends_the_unblinded_side_to_its_own_process() -> None:
    text = (ROOT / "trial" / "config" / "deploy" / "Caddyfile").read_text()
    assert re.search(
        r"@unblinded path /unblinded /unblinded/\*\n\s*handle @unblinded \{\s*reverse_proxy web-unblinded:", text
    )
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_everything_is_pinned_locked_and_not_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    images = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    images += [service["image"] for service in SERVICES.values() if service["image"] != "equipoise:local"]
    assert [image for image in images if not re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?-\w[\w-]*", image)] == []
    assert "--require-hashes" in dockerfile
    users = re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)
    assert users[-1:] == ["10001:10001"]
    copied = re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.MULTILINE)
    assert [path for path in copied if not (ROOT / path).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert [path for path in copied if f"!{path}" not in ignored] == []
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["image"] == "equipoise:local" or not service["user"].startswith("0"), name
