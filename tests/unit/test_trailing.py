"""Where a scan for the lowest row may begin (`runtime.md` 18)."""

from shared.runtime.trailing import SWEEP_EVERY_S, Trailing


class Watch:
    """Real time, turned by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_scan_looks_at_everything_and_so_does_one_each_minute() -> None:
    watch = Watch()
    scans: Trailing[int] = Trailing(watch)
    assert scans.bound() is None
    scans.swept(10)
    watch.now_s += SWEEP_EVERY_S - 1
    scans.swept(20)  # not due: what a scan with a bound finds says nothing of what lies below
    watch.now_s += 1
    assert scans.bound() is None
    scans.swept(30)
    assert scans.bound() == 10


def test_the_bound_is_a_minute_old_so_nothing_in_the_making_lies_below_it() -> None:
    watch = Watch()
    scans: Trailing[int] = Trailing(watch)
    bounds = []
    for lowest in (100, 200, 300):
        scans.swept(lowest)
        bounds.append(scans.bound())
        watch.now_s += SWEEP_EVERY_S
    assert bounds == [None, 100, 200]
