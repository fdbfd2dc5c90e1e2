"""The network policies that follow from the settings; tests/node/test_policies.py checks their enforcement."""

from typing import Any

import pytest

from reconciler.settings import Settings, settings_from
from reconciler.store.isolation import isolation_objects
from urumi.errors import ConfigError


def egress(settings: Settings) -> list[Any]:
    """Return the egress rules of a shop."""
    [policy] = [
        item for _, item in isolation_objects(settings, "shop-1") if item["metadata"]["name"] == "allow-required"
    ]
    return list(policy["spec"]["egress"])


def public_ports(settings: Settings) -> list[list[int]]:
    """Return the ports of the egress rules to public addresses."""
    found = [
        way for way in egress(settings) if any(peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" for peer in way["to"])
    ]
    return [[port["port"] for port in way["ports"]] for way in found]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, [[443, 465, 587]], id="by default"),
        pytest.param({"URUMI_STORE_EGRESS_PORTS": " 8443  443 443"}, [[443, 8443]], id="others"),
        pytest.param({"URUMI_STORE_EGRESS_PORTS": ""}, [], id="none"),
    ],
)
def test_shops_reach_public_addresses_on_the_ports_of_the_setting(
    environ: dict[str, str], expected: list[list[int]]
) -> None:
    assert public_ports(settings_from(environ)) == expected


@pytest.mark.parametrize("wrong", ["https", "0", "65536", "443,587", "-1", "¹"])
def test_an_invalid_port_is_named(wrong: str) -> None:
    with pytest.raises(ConfigError) as refused:
        settings_from({"URUMI_STORE_EGRESS_PORTS": f"443 {wrong}"})
    expected = f"URUMI_STORE_EGRESS_PORTS must be ports from 1 to 65535, separated by spaces, got {wrong!r}."
    assert refused.value.message == expected
