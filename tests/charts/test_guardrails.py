"""The platform's policies know the charts' pods: which keep data on which port, and which never ask for it."""

from typing import TYPE_CHECKING

from reconciler.store.isolation import COMPONENT_LABEL, DATABASES, WITHOUT_DATABASE

if TYPE_CHECKING:
    from tests.charts.conftest import Manifest, Rendered


def component(pod: "Manifest") -> str:
    """The component that a pod is of."""
    return str(pod["metadata"]["labels"][COMPONENT_LABEL])


def ports(pod: "Manifest") -> dict[str, int]:
    """The ports of a pod by name."""
    return {port["name"]: port["containerPort"] for each in pod["spec"]["containers"] for port in each.get("ports", ())}


def test_what_does_not_serve_a_shop_is_a_database_on_its_known_port(rendered: "Rendered") -> None:
    found = {component(pod): list(ports(pod).values()) for pod in rendered.pods().values() if "http" not in ports(pod)}
    assert found
    assert found == {name: [DATABASES[name]] for name in found}


def test_only_a_component_that_asks_no_database_is_kept_from_them(rendered: "Rendered") -> None:
    asking = {
        component(pod)
        for pod in rendered.pods().values()
        for each in pod["spec"]["containers"]
        for variable in each.get("env", ())
        if variable["name"] in ("DATABASE_URL", "REDIS_URL", "WORDPRESS_DB_HOST")
    }
    shops = {component(pod) for pod in rendered.pods().values()} - DATABASES.keys()
    assert shops - asking == shops & set(WITHOUT_DATABASE)
