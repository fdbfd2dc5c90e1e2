"""Settings from the environment: old and new names, values, and the message for an invalid value."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from reconciler.settings import QUOTA, Settings, settings_from
from server.settings import ServerSettings, server_settings_from
from urumi.environment import Variable, variables
from urumi.errors import ConfigError

SettingsClass = type[Settings] | type[ServerSettings]

READERS: dict[SettingsClass, Callable[[Mapping[str, str]], Any]] = {
    Settings: settings_from,
    ServerSettings: server_settings_from,
}
RENAMED = [
    pytest.param(settings_class, variable, id=variable.old_name)
    for settings_class in READERS
    for variable in variables(settings_class).values()
    if variable.old_name
]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Return the old name, the new name and the name in use of each warning."""
    records = [record for record in caplog.records if record.levelno == logging.WARNING]
    return [(vars(each)["old_name"], vars(each)["new_name"], vars(each)["used"]) for each in records]


@pytest.mark.parametrize(("settings_class", "variable"), RENAMED)
def test_the_old_name_of_a_variable_is_accepted_with_one_warning(
    settings_class: SettingsClass, variable: Variable, caplog: pytest.LogCaptureFixture
) -> None:
    value = VALUES.get(variable.name, "7")

    by_old_name = READERS[settings_class]({variable.old_name: value})

    assert warnings_of(caplog) == [(variable.old_name, variable.name, variable.old_name)]
    assert by_old_name == READERS[settings_class]({variable.name: value})
    assert by_old_name != settings_class()


# A value that is accepted and is not the default, for every variable that does not accept 7.
VALUES = {
    "URUMI_STORE_SCHEME": "https",
    "URUMI_STOREFRONT_CHECK": "off",
    "URUMI_STOREFRONT_ADDRESS": "http://127.0.0.1",
    "URUMI_STORE_QUOTA": "pods=7",
    "URUMI_TRUSTED_PROXIES": "10.42.0.0/16",
    "URUMI_AUTH_MODE": "kubernetes",
    "URUMI_ANONYMOUS_READS": "health",
}


def test_the_new_name_wins_and_the_warning_names_it(caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_from({"URUMI_BASE_DOMAIN": "new.example", "BASE_DOMAIN": "old.example"})

    assert settings.base_domain == "new.example"
    assert warnings_of(caplog) == [("BASE_DOMAIN", "URUMI_BASE_DOMAIN", "URUMI_BASE_DOMAIN")]


def test_new_names_are_read_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    settings_from({"URUMI_BASE_DOMAIN": "shops.example.com", "KUBECONFIG": "/home/me/.kube/config"})

    assert caplog.records == []


def test_a_value_from_the_process_is_not_mixed_into_another_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URUMI_BASE_DOMAIN", "process.example")

    assert settings_from({}) == Settings()
    assert settings_from().base_domain == "process.example"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        settings_from({}).base_domain = "other"  # type: ignore[misc]


def test_an_empty_value_counts_except_where_a_value_is_required() -> None:
    names = ("STORAGE_CLASS", "INGRESS_CLASS", "STORE_EGRESS_PORTS", "STORE_QUOTA", "INGRESS_NAMESPACES")
    settings = settings_from({"KUBECONFIG": "", **{f"URUMI_{name}": "" for name in names}})

    assert (settings.storage_class, settings.ingress_class, settings.store_egress_ports) == ("", "", ())
    assert (settings.quota, settings.kubeconfig) == (QUOTA, None)
    assert settings.ingress_namespaces == Settings().ingress_namespaces
    assert server_settings_from({"URUMI_ANONYMOUS_READS": ""}).anonymous_reads == frozenset()


def test_a_quota_changes_the_amounts_that_it_names() -> None:
    settings = settings_from({"URUMI_STORE_QUOTA": "pods=30, requests.memory=3Gi"})

    assert settings.quota == {**QUOTA, "pods": "30", "requests.memory": "3Gi"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LEASE_SECONDS", "soon", "a number of seconds above 0, got 'soon'"),
        ("LEASE_SECONDS", "0", "a number of seconds above 0, got '0'"),
        ("HELM_TIMEOUT_SECONDS", "inf", "a number of seconds above 0, got 'inf'"),
        ("RESYNC_SECONDS", "nan", "a number of seconds above 0, got 'nan'"),
        ("MAX_STATUS_EVENTS", "0", "a whole number from 1, got '0'"),
        ("MAX_CONCURRENT_PROVISIONS", "2.5", "a whole number from 1, got '2.5'"),
        ("MAX_ACTIVE_STORES", "", "a whole number from 1, got ''"),
        ("MAX_STORES_PER_USER", "-1", "a whole number from 0, got '-1'"),
        ("CREATE_RATE_LIMIT", "1001", "a whole number from 0 to 1000, got '1001'"),
        ("PORT", "65536", "a port from 1 to 65535, got '65536'"),
        ("STORE_SCHEME", "ftp", "http or https, got 'ftp'"),
        ("STORE_PORT", "65536", "a port from 1 to 65535, or 0 for the scheme's own, got '65536'"),
        ("STOREFRONT_CHECK", "on", "walk, order or off, got 'on'"),
        ("STORE_QUOTA", "pods=30,cpu", "like pods=30,requests.memory=3Gi, got 'cpu'"),
        ("STOREFRONT_ADDRESS", "http://{shop}", "{port} and {storeId}, got 'http://{shop}'"),
        ("STOREFRONT_ADDRESS", "shop", "a URL with no other placeholders than"),
        ("TRUSTED_PROXIES", "10.0.0.0/8 traefik", "networks such as 10.42.0.0/16, separated by spaces, got 'traefik'"),
        ("AUTH_MODE", "none", "token or kubernetes, got 'none'"),
        ("AUTH_CACHE_SECONDS", "0", "a number of seconds above 0 and up to 300, got '0'"),
        ("AUTH_CACHE_SECONDS", "nan", "a number of seconds above 0 and up to 300, got 'nan'"),
        ("ANONYMOUS_READS", "health stores", "health, metrics, both separated by a space, or empty, got 'stores'"),
    ],
)
def test_an_invalid_value_is_refused_in_one_sentence(name: str, value: str, expected: str) -> None:
    server_names = {variable.name for variable in variables(ServerSettings).values()}
    read = server_settings_from if f"URUMI_{name}" in server_names else settings_from

    with pytest.raises(ConfigError) as refused:
        read({f"URUMI_{name}": value})

    assert refused.value.message.startswith(f"URUMI_{name} must be ")
    assert expected in refused.value.message
    assert "\n" not in refused.value.message


def test_a_refusal_names_the_variable_that_is_set() -> None:
    with pytest.raises(ConfigError, match=r"^LEASE_SECONDS must be"):
        settings_from({"LEASE_SECONDS": "soon"})
