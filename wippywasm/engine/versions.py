"""Which version of an engine's package is installed.

In: the package. Out: its version. A wheel leaves it in the name of a folder beside the package; to ask
`importlib.metadata`, which reads mail headers and archives, takes longer to import than a component to compile.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType


def installed_version(package: ModuleType, name: str | None = None) -> str:
    """The version of the distribution `name`, by default called as the package that it has."""
    name = name or package.__name__
    folders = list(Path(package.__file__).parent.parent.glob(f"{name}-*.dist-info")) if package.__file__ else []
    if len(folders) == 1:
        return folders[0].name.removeprefix(f"{name}-").removesuffix(".dist-info")
    from importlib import metadata

    return metadata.version(name)
