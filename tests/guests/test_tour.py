"""C programs as commands of an app, as a preview 1 module and as a component, on each engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guests.tours import C_COMPONENT, SCENARIOS, C, Command, Scenario, Tour


@pytest.mark.parametrize("tour", [C, C_COMPONENT], ids=["module", "component"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario.__name__))
def test_a_command_in_c(scenario: Scenario, tour: Tour, engine: str, tmp_path: Path) -> None:
    scenario(Command(tour, tmp_path, engine))
