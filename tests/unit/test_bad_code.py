"""Bad code stops: the same fault on many subjects is no bad data (`runtime.md` 7)."""

import asyncpg
import pytest

from shared.runtime.bad_code import SUBJECTS, WITHIN_S, BadCode, Fingerprints


class Watch:
    """Real time, turned by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_the_same_fault_on_twenty_subjects_is_bad_code() -> None:
    faults = Fingerprints(Watch())
    for number in range(SUBJECTS - 1):
        faults.note(raised(KeyError(f"field {number}")), f"lead-{number}")
    with pytest.raises(BadCode, match=r"KeyError at test_bad_code\.py:"):
        faults.note(raised(KeyError("field")), "one more")


def test_one_subject_that_fails_over_and_over_is_bad_data() -> None:
    faults = Fingerprints(Watch())
    for _ in range(10 * SUBJECTS):
        faults.note(raised(KeyError("field")), "lead-1")


def test_faults_of_long_ago_and_of_other_kinds_do_not_add_up() -> None:
    watch = Watch()
    faults = Fingerprints(watch)
    for number in range(SUBJECTS - 1):
        faults.note(raised(KeyError("a")), f"lead-{number}")
        faults.note(raised(ValueError("b")), f"lead-{number}")
    watch.now_s += WITHIN_S
    faults.note(raised(KeyError("a")), "one more")


def test_values_that_the_database_does_not_take_are_bad_data_however_many() -> None:
    faults = Fingerprints(Watch())
    for number in range(2 * SUBJECTS):
        faults.note(raised(asyncpg.DataError("too long")), f"lead-{number}")
