from __future__ import annotations

import pytest

from infra.settings import Rollout
from interface.rollout import RolloutPlan


@pytest.mark.parametrize("settings", [Rollout(), Rollout(steps=(1, 2, 99), bake_seconds=1, patience=7, shadow=20)])
def test_what_the_settings_say_arrives_as_what_it_is(settings: Rollout) -> None:
    plan = RolloutPlan.from_json(settings.plan.to_json())
    assert plan == settings.plan
    assert (plan.steps, plan.bake_seconds) == (settings.steps, settings.bake_seconds)
    assert (plan.patience, plan.shadow) == (settings.patience, settings.shadow)


def test_a_plan_of_another_release_of_this_project_is_not_misread() -> None:
    with pytest.raises(TypeError, match="pause"):
        RolloutPlan.from_json('{"steps": [10], "bake_seconds": 1, "patience": 1, "pause": 3}')


def test_a_release_is_abandoned_once_its_judge_is_later_than_a_judge_can_be() -> None:
    plan = RolloutPlan(steps=(10, 50), bake_seconds=2.0, patience=3)
    late = 2.0 * 2 + 60 + 2.0 * 3
    assert not plan.is_abandoned(100.0, 1, 100.0 + late)
    assert plan.is_abandoned(100.0, 1, 100.1 + late)


def test_nobody_is_waited_for_who_does_not_ask_any_more() -> None:
    plan = RolloutPlan(steps=(10, 50), bake_seconds=2.0, patience=3)
    assert not plan.is_gone(100.0, 100.0 + 2.0 + plan.grace)
    assert plan.is_gone(100.0, 100.1 + 2.0 + plan.grace)
