"""The checks of the doctor, in the order of its output."""

from cluster.doctor.environment import checkout, environment, python
from cluster.doctor.finding import Check
from cluster.doctor.folders import folders, home, umask
from cluster.doctor.hardware import cgroups, kernel_limits, memory, processors, system
from cluster.doctor.installs import installs
from cluster.doctor.loopback import loopback, names, server_port
from cluster.doctor.programs import programs
from cluster.doctor.proxies import authorities, proxies
from cluster.doctor.registries import registries
from cluster.doctor.space import cache, space

CHECKS: tuple[Check, ...] = (
    checkout,
    system,
    python,
    environment,
    processors,
    memory,
    folders,
    home,
    umask,
    space,
    cache,
    loopback,
    names,
    server_port,
    proxies,
    authorities,
    registries,
    kernel_limits,
    cgroups,
    installs,
    programs,
)
