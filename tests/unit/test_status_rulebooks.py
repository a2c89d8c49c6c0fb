"""`relance status` says by which rulebook each company goes, and what is wrong with it."""

from relance.status_rulebooks import Rulebooks, lines

OLD, NEW = "1111aaaa", "2222bbbb"


def told(**of_service: Rulebooks) -> list[str]:
    found = list(lines(of_service, 80, 16))
    assert all(len(line) <= 80 for line in found)
    return [" ".join(line.split()) for line in found]


def test_all_services_that_go_by_one_version_are_one_line_for_all_companies() -> None:
    both = Rulebooks({"axelerator": OLD, "carvivo": NEW}, {"carvivo": NEW})
    assert told(intake=Rulebooks(both.in_force), pipeline=both, reminders=both) == [
        f"rulebook axelerator {OLD}, carvivo {NEW}"
    ]


def test_a_service_that_has_not_followed_is_named_with_the_others() -> None:
    behind, ahead = Rulebooks({"carvivo": OLD}), Rulebooks({"carvivo": NEW}, {"carvivo": NEW})
    assert told(intake=behind, pipeline=ahead, reminders=ahead) == [
        f"! rulebook carvivo intake by {OLD}; pipeline, reminders by {NEW}"
    ]


def test_a_company_that_a_service_does_not_know_goes_by_none_there() -> None:
    (line,) = told(intake=Rulebooks({}), pipeline=Rulebooks({"carvivo": NEW}))
    assert line == f"! rulebook carvivo intake by none; pipeline by {NEW}"


def test_what_was_set_aside_is_told_once_with_the_reason_and_by_whom() -> None:
    why = "this rulebook cannot be used: rulebook.toml: nobody knows this key"
    refused = Rulebooks({"carvivo": OLD}, {"carvivo": OLD}, {"carvivo": (NEW, why)})
    found = told(intake=Rulebooks({"carvivo": OLD}), pipeline=refused, reminders=refused)
    assert found[0] == f"rulebook carvivo {OLD}"
    wrong = " ".join(found[1:])
    assert (
        wrong
        == f"! rulebook carvivo {NEW} was published and set aside by pipeline, reminders: {why}"
    )


def test_a_release_that_cannot_use_what_is_published_is_told_of() -> None:
    fallen_back = Rulebooks({"carvivo": OLD}, {"carvivo": NEW})
    wrong = " ".join(told(pipeline=fallen_back, reminders=fallen_back)[1:])
    assert wrong == (
        f"! rulebook carvivo {NEW} is published and cannot be used by pipeline, reminders of this "
        "release"
    )


def test_a_service_that_does_not_answer_says_nothing_of_rulebooks() -> None:
    assert told(intake=Rulebooks(), pipeline=Rulebooks(None, {"carvivo": NEW})) == []
