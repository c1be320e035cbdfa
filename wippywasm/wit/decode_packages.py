"""The packages that a WIT package in binary form names, on their way into a resolution.

In: full names of interfaces and worlds. Out: packages and interfaces, those of the resolution where it has them, else
new ones; at the end, the new packages in the resolution.
Spec: `WIT.md`, "Package Format".
"""

from __future__ import annotations

from wippywasm.budget import Budget
from wippywasm.errors import ValidationError
from wippywasm.wit.decode_limits import MADE_INTERFACE, MADE_PACKAGE
from wippywasm.wit.names import PackageName, interface_name
from wippywasm.wit.resolved import Interface, Package, Resolution, direct_dependencies


class Packages:
    """What one binary names."""

    def __init__(self, resolution: Resolution, budget: Budget) -> None:
        self._resolution = resolution
        self._budget = budget
        self._new: dict[PackageName, Package] = {}

    def interface(self, id: str, offset: int) -> Interface:
        """The interface with this full name, new if need be. Raises ValidationError for what is no such name."""
        package, name = self.package_of(id, offset)
        if name not in package.interfaces:
            self._budget.define(MADE_INTERFACE, offset)
            interface = package.interfaces[name] = Interface(name, None, package)
            self._resolution.interfaces.append(interface)
        return package.interfaces[name]

    def package_of(self, id: str, offset: int) -> tuple[Package, str]:
        """The package of an interface or world, new if need be, and what it calls that. Raises ValidationError."""
        found = interface_name(id)
        if found is None:
            raise ValidationError(f"`{id}` is not the full name of an interface or world", offset)
        name, item = found
        if not f"{name.namespace}{name.name}".islower():
            raise ValidationError(f"`{id}`: there is no upper case in the name of a package", offset)
        package = self._resolution.package(name) or self._new.get(name)
        if package is None:
            self._budget.define(MADE_PACKAGE, offset)
            package = self._new[name] = Package(name)
        return package, item

    def place(self, main: Package) -> None:
        """Puts the new packages into the resolution, each behind those that it uses, and `main` behind all."""
        self._resolution.packages += _in_order_of_use([p for p in self._new.values() if p is not main])
        if main.name in self._new:
            self._resolution.packages.append(main)


def _in_order_of_use(packages: list[Package]) -> list[Package]:
    """Each behind those that it uses; those in a circle last."""
    users: dict[Package, list[Package]] = {p: [] for p in packages}
    missing = dict.fromkeys(packages, 0)
    for package in packages:
        for used in _uses(package):
            if used in users:
                users[used].append(package)
                missing[package] += 1
    place = {p: i for i, p in enumerate(packages)}
    order: list[Package] = []
    ready = [p for p in packages if not missing[p]]
    while ready:
        order += ready
        ready = sorted(_unblocked(ready, users, missing), key=place.__getitem__)
    return order + [p for p in packages if missing[p]]


def _unblocked(done: list[Package], users: dict[Package, list[Package]], missing: dict[Package, int]) -> list[Package]:
    """The packages that only `done` kept back."""
    found = []
    for package in done:
        for user in users[package]:
            missing[user] -= 1
            if not missing[user]:
                found.append(user)
    return found


def _uses(package: Package) -> set[Package]:
    found = {d.package for i in package.interfaces.values() for d in direct_dependencies(i)}
    return {p for p in found if p is not None and p is not package}
