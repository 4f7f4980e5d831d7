"""So many within so long, for each key."""

import pytest

from trial.core.api import pace


def test_the_limit_holds_for_each_key_and_passes_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    one = pace.Pace(limit=2, seconds=10)
    assert [one.wait("a"), one.wait("a"), one.wait("b")] == [0, 0, 0]
    now[0] = 104
    assert one.wait("a") == 6
    assert one.wait("b") == 0
    now[0] = 110
    assert [one.wait("a"), one.wait("a")] == [0, 0]
    assert one.wait("a") == 10


def test_what_is_over_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    one = pace.Pace(limit=1, seconds=10)
    for n in range(50):
        one.wait(str(n))
    now[0] = 20
    one.wait("last")
    assert set(one._times) == {"last"}
