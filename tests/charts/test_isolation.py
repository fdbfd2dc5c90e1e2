"""The network policies match the pods of the charts: which are databases on which port, and which use none."""

from typing import TYPE_CHECKING

from reconciler.store.isolation import COMPONENT_LABEL, DATABASES, WITHOUT_DATABASE

if TYPE_CHECKING:
    from tests.charts.conftest import Manifest, Rendered


def component(pod: "Manifest") -> str:
    """The component label of a pod."""
    return str(pod["metadata"]["labels"][COMPONENT_LABEL])


def ports(pod: "Manifest") -> dict[str, int]:
    """The ports of a pod by name."""
    return {port["name"]: port["containerPort"] for each in pod["spec"]["containers"] for port in each.get("ports", ())}


def test_every_pod_without_http_is_a_database_on_the_port_of_its_engine(rendered: "Rendered") -> None:
    found = {component(pod): list(ports(pod).values()) for pod in rendered.pods().values() if "http" not in ports(pod)}
    assert found
    assert found == {name: [DATABASES[name]] for name in found}


def test_only_components_without_a_database_are_denied_access_to_one(rendered: "Rendered") -> None:
    asking = {
        component(pod)
        for pod in rendered.pods().values()
        for each in pod["spec"]["containers"]
        for variable in each.get("env", ())
        if variable["name"] in ("DATABASE_URL", "REDIS_URL", "WORDPRESS_DB_HOST")
    }
    shops = {component(pod) for pod in rendered.pods().values()} - DATABASES.keys()
    assert shops - asking == shops & set(WITHOUT_DATABASE)
