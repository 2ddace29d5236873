"""The files of a deployment speak of things that exist: commands, settings, files, the same roles as `hub serve`."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.cli import build
from hub.cli.processes import ROLES, role_command
from hub.settings import SETTINGS, Settings, environment_for_child
from hub.vault import read_key_file

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
HUB_SERVICES = (*ROLES, "migrate")
SETTING_NAMES = {setting.name for setting in SETTINGS}

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the script is for a server, which has it")


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of a kind, continued lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", joined, re.MULTILINE)


def interpolated(text: str) -> set[str]:
    return set(re.findall(r"\$\{([A-Za-z_]+)", text))


# --- the image --------------------------------------------------------------------------------------------------------


def test_a_container_starts_a_role_as_hub_serve_does():
    (entrypoint,) = instructions("ENTRYPOINT")

    for role in ROLES:
        _python, *words = role_command(role)
        assert ["python", *words] == [*yaml.safe_load(entrypoint), *SERVICES[role]["command"]]


def test_the_image_copies_only_what_there_is():
    for copied in instructions("COPY"):
        *sources, _target = copied.split()
        assert [source for source in sources if not (ROOT / source).exists()] == []


def test_what_the_image_copies_is_not_ignored():
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sources = {source for copied in instructions("COPY") for source in copied.split()[:-1]}

    assert {line[1:] for line in ignored if line.startswith("!")} == sources


def test_the_image_runs_as_an_ordinary_user():
    (user,) = instructions("USER")

    assert user == "10001:10001"


def test_the_packages_are_installed_by_hash_from_the_lock():
    assert "--require-hashes -r deploy/requirements.txt" in DOCKERFILE


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_the_lock_has_a_hash_for_each_package_and_names_no_host(name: str):
    lock = (DEPLOY / name).read_text(encoding="utf-8")
    blocks = [block for block in re.split(r"\n(?=[A-Za-z0-9])", lock) if not block.startswith("#")]

    assert len(blocks) > 50
    assert [block.split()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block] == []
    assert "://" not in lock


@pytest.mark.parametrize("path", sorted(file.name for file in DEPLOY.iterdir() if file.is_file()))
def test_no_file_names_a_package_index(path: str):
    text = (DEPLOY / path).read_text(encoding="utf-8")

    assert re.search(r"--(extra-)?index-url|--find-links|--trusted-host", text) is None


# --- the services -----------------------------------------------------------------------------------------------------


def test_every_services_command_is_a_command_of_the_hub():
    known = set(build().commands)

    for name in HUB_SERVICES:
        (command,) = SERVICES[name]["command"]
        assert command in known


def test_every_setting_in_a_service_exists_and_none_is_forgotten():
    for name in HUB_SERVICES:
        assert set(SERVICES[name]["environment"]) <= SETTING_NAMES

    assert set(SERVICES["migrate"]["environment"]) == SETTING_NAMES


def test_only_migrate_knows_the_owners_password():
    knowing = [name for name in HUB_SERVICES if "OWNER_PASSWORD" in str(SERVICES[name]["environment"])]

    assert knowing == ["migrate"]


def test_settings_in_the_dockerfile_exist():
    assert set(re.findall(r"\bHUB_[A-Z_]+", DOCKERFILE)) <= SETTING_NAMES


def test_every_setting_is_described_in_the_sample_file():
    sample = (DEPLOY / "env.sample").read_text(encoding="utf-8")

    assert [name for name in sorted(SETTING_NAMES) if f"#{name}=" not in sample] == []


def test_every_service_has_limits_a_restart_rule_and_a_health_check():
    for name, service in SERVICES.items():
        assert {"mem_limit", "cpus", "pids_limit", "restart", "healthcheck", "logging"} <= set(service), name


def test_services_wait_for_those_that_they_need():
    needs = {name: {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()} for name in ROLES}
    all_ready = {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }

    assert needs == dict.fromkeys(ROLES, all_ready)


def test_the_queue_keeps_what_it_has_and_asks_for_a_password():
    command = SERVICES["redis"]["command"]
    pairs = dict(zip(command[1::2], command[2::2], strict=True))

    assert (pairs["--appendonly"], pairs["--maxmemory-policy"]) == ("yes", "noeviction")
    assert interpolated(pairs["--requirepass"]) == {"QUEUE_PASSWORD"}


def test_the_database_and_the_queue_are_reached_from_inside_only():
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]


def test_no_secret_stands_in_the_compose_file():
    secrets = [f"{name}={value}" for service in SERVICES.values() for name, value in service["environment"].items()]

    for one in secrets:
        if re.search("PASSWORD|SECRET|AUTH", one.partition("=")[0]):
            assert "${" in one, one


def test_files_that_services_mount_or_read_exist():
    for mounted in SERVICES["postgres"]["volumes"]:
        source = mounted.partition(":")[0]
        assert source in COMPOSE["volumes"] or (DEPLOY / source).is_file()
    for service in SERVICES.values():
        for word in service["healthcheck"].get("test", []):
            if word.startswith("/opt/hub/"):
                assert (ROOT / word.removeprefix("/opt/hub/")).is_file()


# --- fresh secrets ----------------------------------------------------------------------------------------------------


def make_secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(DEPLOY / "make-secrets.sh"), "hub.example.org", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_openssl
def test_fresh_secrets_fill_every_blank_of_the_compose_file(tmp_path: Path):
    assert make_secrets(tmp_path).returncode == 0

    lines = (tmp_path / ".env").read_text(encoding="ascii").splitlines()
    given = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    optional = {
        "HUB_WEB_WORKERS",
        "HUB_WEB_THREADS",
        "HUB_MAX_BODY_BYTES",
        "HUB_REGION_TIMEOUT_SECONDS",
        "HUB_LOG_LEVEL",
    }
    assert interpolated((DEPLOY / "compose.yaml").read_text(encoding="utf-8")) == set(given) | optional


@needs_openssl
def test_the_settings_of_a_service_with_fresh_secrets_are_complete(tmp_path: Path):
    make_secrets(tmp_path)
    lines = (tmp_path / ".env").read_text(encoding="ascii").splitlines()
    given = dict(line.split("=", 1) for line in lines if not line.startswith("#"))

    def filled(text: str) -> str:
        return re.sub(r"\$\{([A-Za-z_]+)[^}]*\}", lambda found: given.get(found[1], ""), text)

    settings = Settings.from_env({name: filled(text) for name, text in SERVICES["migrate"]["environment"].items()})

    assert settings.production
    assert settings.public_url == "https://hub.example.org"
    assert "hub_owner" in settings.database_owner_url


@needs_openssl
def test_fresh_secrets_are_read_by_their_owner_only_and_open_the_vault(tmp_path: Path):
    make_secrets(tmp_path)
    made = (tmp_path / ".env", tmp_path / "secrets" / "vault-keys.json")

    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o600, 0o600]
    assert len(read_key_file(made[1]).keys) == 1


@needs_openssl
def test_secrets_that_exist_are_never_overwritten(tmp_path: Path):
    make_secrets(tmp_path)
    before = (tmp_path / "secrets" / "vault-keys.json").read_bytes()

    again = make_secrets(tmp_path)

    assert again.returncode == 1
    assert "exists" in again.stderr
    assert (tmp_path / "secrets" / "vault-keys.json").read_bytes() == before


def test_a_web_server_that_does_not_answer_is_not_well(tmp_path: Path):
    environment = environment_for_child({"HUB_PORT": "1", "PYTHONPATH": str(ROOT), "HUB_STATE_DIR": str(tmp_path)})
    command = [sys.executable, str(DEPLOY / "healthcheck.py"), "web"]

    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode == 1
    assert result.stdout.startswith("web: does not answer")
