from __future__ import annotations

from chat.web.sockets.base import TokenBucket


def test_so_many_go_at_once_and_the_others_at_their_pace():
    bucket = TokenBucket(burst=2, per_s=4, now=100.0)

    assert [bucket.wait_s(100.0) for _ in range(4)] == [0, 0, 0.25, 0.5]
    assert bucket.slowed_s == 0.75
    assert bucket.wait_s(100.75) == 0
    assert bucket.slowed_s == 0


def test_patience_is_not_saved_up_beyond_the_burst():
    bucket = TokenBucket(burst=2, per_s=4, now=0.0)

    assert [bucket.wait_s(3600.0, tokens=2), bucket.wait_s(3600.0)] == [0, 0.25]
