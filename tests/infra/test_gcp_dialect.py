from __future__ import annotations

from typing import Any

from infra.gcp import dialect
from tests.infra.test_aws_dialect import WORKFLOW

URLS = {"looker": "https://looker.example.org", "worker": "https://worker.example.org"}
SOURCE: dict[str, Any] = dialect.render(WORKFLOW, URLS)


def named(steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: step for entry in steps for name, step in entry.items()}


MAIN = named(SOURCE["main"]["steps"])
ATTEMPT = named(MAIN["attempt"]["try"]["steps"])
RECOVERY = named(MAIN["attempt"]["except"]["steps"])


def test_a_call_posts_to_its_function_and_keeps_only_its_answer() -> None:
    assert ATTEMPT["look"] == {
        "call": "begin_looker",
        "args": {
            "step": "look",
            "body": {"input": "${input}", "execution": "${execution}", "way": "far"},
            "deadline": "${deadline}",
        },
        "result": "seen",
        "next": "any",
    }
    patiently, answer = SOURCE["begin_looker"]["steps"]
    (once,) = patiently["patiently"]["try"]["steps"]
    post = once["once"]["try"]["steps"][-1]["ask"]
    assert post["args"] == {
        "url": URLS["looker"],
        "auth": {"type": "OIDC", "audience": URLS["looker"]},
        "body": "${body}",
        "timeout": 20,
    }
    assert answer == {"hand_back": {"return": "${answer.body}"}}


def test_busy_functions_are_waited_for_and_failing_ones_asked_again() -> None:
    patiently = SOURCE["begin_worker"]["steps"][0]["patiently"]
    once = patiently["try"]["steps"][0]["once"]
    assert (patiently["retry"]["predicate"], patiently["retry"]["max_retries"]) == ("${is_early}", 6)
    assert (once["retry"]["predicate"], once["retry"]["max_retries"]) == ("${is_failure}", 2)


def test_a_refusal_is_tried_again_by_the_steps_that_begin_a_run_and_by_no_others() -> None:
    recovery = named(RECOVERY["sorry"]["try"]["steps"])["sorry_call"]
    assert recovery["call"] == "call_looker"
    later = SOURCE["call_looker"]["steps"][0]["patiently"]
    assert later == {**SOURCE["begin_looker"]["steps"][0]["patiently"], "retry": dialect.TRANSIENT}
    codes = {name: SOURCE[name]["steps"][0]["judge"]["switch"][0]["condition"] for name in ("is_early", "is_transient")}
    assert codes == {
        "is_early": '${map.get(e, "code") in [403, 429, 502, 503]}',
        "is_transient": '${map.get(e, "code") in [429, 502, 503]}',
    }


def test_no_call_begins_after_the_deadline_but_that_of_a_failure() -> None:
    once = SOURCE["begin_worker"]["steps"][0]["patiently"]["try"]["steps"][0]["once"]
    late = once["try"]["steps"][0]["in_time"]["switch"][0]
    assert late["condition"] == "${sys.now() >= deadline}"
    assert late["raise"]["tags"] == ["DeadlineError"]
    assert {"deadline": "${sys.now() + 600}"} in MAIN["begin"]["assign"]
    recovery = named(RECOVERY["sorry"]["try"]["steps"])["sorry_call"]
    assert recovery["args"]["deadline"] == f"${{sys.now() + {dialect.RECOVERY_SECONDS}}}"


def test_a_failure_leads_to_on_failure_with_its_cause_as_text() -> None:
    assert list(RECOVERY) == ["remember", "sorry", "sorry_next", "failed"]
    assert RECOVERY["sorry"]["try"]["steps"][0]["sorry_call"]["args"]["body"] == {"cause": "${problem}"}
    assert RECOVERY["failed"] == {"raise": {"message": "${problem}", "tags": ["WorkflowFailed"]}}


def test_a_failure_of_on_failure_goes_on_and_keeps_the_first_cause() -> None:
    (note,) = RECOVERY["sorry"]["except"]["steps"]
    assert note["sorry_failed"]["assign"] == [{"problem": '${problem + "; then " + worse.message}'}]
    assert RECOVERY["sorry_next"] == {"next": "failed"}


def test_each_element_goes_to_the_function_so_many_at_a_time() -> None:
    parallel = ATTEMPT["each"]["parallel"]
    assert (parallel["concurrency_limit"], parallel["for"]["in"]) == (3, "${seen.things}")
    (branch,) = parallel["for"]["steps"][0]["each_one"]["switch"]
    call = named(branch["steps"])["each_worker"]["try"]["steps"][0]["each_call"]
    assert call["args"]["body"] == {"of": "${seen.name}", "thing": "${item}"}
    assert "result" not in call, "answers are discarded"


def test_one_failed_element_fails_all_and_no_further_one_is_begun() -> None:
    (branch,) = ATTEMPT["each"]["parallel"]["for"]["steps"][0]["each_one"]["switch"]
    assert branch["condition"] == "${len(failures) == 0}"
    assert ATTEMPT["each"]["parallel"]["shared"] == ["failures"]
    (stop,) = ATTEMPT["each_all"]["switch"]
    assert stop["condition"] == "${len(failures) > 0}"
    assert stop["raise"]["message"] == "${failures[0]}"


def test_a_choice_that_no_case_names_is_a_failure_that_says_what_was_found() -> None:
    value = 'map.get(seen, ["status"])'
    assert ATTEMPT["any"] == {
        "switch": [
            {"condition": f'${{{value} == "some"}}', "next": "each"},
            {"condition": f'${{{value} == "none"}}', "next": "done"},
        ],
        "next": "any_otherwise",
    }
    message = f'${{"any: found " + json.encode_to_string({value}) + "; accepted: some, none"}}'
    assert ATTEMPT["any_otherwise"] == {"raise": {"message": message, "tags": ["StepFailed"]}}


def test_a_pause_takes_its_seconds_from_a_result_and_ends_with_the_deadline() -> None:
    assert ATTEMPT["rest"] == {
        "call": "sys.sleep",
        "args": {"seconds": "${int(math.max(0, math.min(seen.seconds, deadline - sys.now())))}"},
        "next": "done",
    }


def test_an_event_names_the_object_and_anything_else_is_the_input() -> None:
    assert {"input": "${args}"} in MAIN["begin"]["assign"]
    assert ATTEMPT["receive"] == {
        "switch": [{"condition": '${"data" in args}', "next": "from_event"}],
        "next": "look",
    }
    source = {"source": "${args.data.message.attributes.objectId}"}
    assert ATTEMPT["from_event"] == {"assign": [{"input": source}], "next": "look"}


def test_the_result_of_an_execution_is_the_name_of_its_end() -> None:
    assert ATTEMPT["done"] == {"return": "done"}
