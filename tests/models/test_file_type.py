"""The bring-your-own model that ships, and its client, compared with the package that the model comes from."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.http.problem import Fault, Problem
from functions.core.selection import admission
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from models import catalogue
from models.bring_your_own import BringYourOwn
from models.file_type import client
from tests.functions.graphs import MAGIKA

FOLDER = Path(client.__file__).parent
PACKAGE = MAGIKA.parents[2]
CSV = b"name,age,city\n" + b"".join(b"caller %d,%d,Paris\n" % (n, 20 + n) for n in range(40))
PYTHON = b'import json\n\n\ndef main() -> None:\n    """Say so."""\n    print(json.dumps({"a": [1, 2]}))\n' * 4
WAV = b"RIFF\x24\x10\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\0\x10\0\0" + bytes(
    128 + (n * n) % 97 for n in range(4096)
)
GOLDEN = {"CSV document": CSV, "Python source": PYTHON, "Waveform Audio file (WAV)": WAV}


@pytest.fixture(scope="module")
def contract() -> BringYourOwn:
    loaded = catalogue.load("file_type")
    assert isinstance(loaded, BringYourOwn)
    return loaded


@pytest.fixture(scope="module")
def classes(contract: BringYourOwn) -> tuple[str, ...]:
    assert contract.scores is not None
    return contract.scores.classes


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(FOLDER / "model.onnx")


def scores_of(session: onnxruntime.InferenceSession, rows: np.ndarray) -> np.ndarray:
    return np.asarray(session.run(None, {"bytes": rows})[0])


# The folder ------------------------------------------------------------------------------------


def test_it_is_the_file_of_the_package_and_the_notice_names_version_owner_and_licence() -> None:
    shipped, notice = (FOLDER / "model.onnx").read_bytes(), (FOLDER / "NOTICE").read_text(encoding="utf-8")
    assert shipped == MAGIKA.read_bytes()
    assert hashlib.sha256(shipped).hexdigest() in notice
    for fact in ("magika 1.0.3", "Copyright 2024 Google LLC", "Apache License, Version 2.0", "unchanged"):
        assert fact in notice
    assert "Apache License" in (FOLDER.parents[1] / "LICENSE").read_text(encoding="utf-8")
    (metadata,) = [path for path in PACKAGE.parent.glob("magika-*.dist-info/METADATA") if path.is_file()]
    assert re.search(r"^License(-Expression)?: .*Apache", metadata.read_text(encoding="utf-8"), re.MULTILINE)


def test_its_classes_are_the_packages_labels_in_their_order_and_in_its_words(classes: tuple[str, ...]) -> None:
    labels = json.loads((MAGIKA.parent / "config.min.json").read_text(encoding="utf-8"))["target_labels_space"]
    words = json.loads((PACKAGE / "config" / "content_types_kb.min.json").read_text(encoding="utf-8"))
    assert list(classes) == [words[label]["description"] for label in labels]


def test_it_is_admitted_by_its_own_golden_requests(contract: BringYourOwn) -> None:
    admitted = admission.examine(contract, (FOLDER / "model.onnx").read_bytes(), (FOLDER / "golden.json").read_bytes())
    assert admitted.failed == []
    assert "answers as expected" in {check.name for check in admitted.checks}


def test_its_golden_requests_are_real_files_and_their_answers_true(
    session: onnxruntime.InferenceSession, classes: tuple[str, ...]
) -> None:
    [request] = json.loads((FOLDER / "golden.json").read_text(encoding="utf-8"))
    rows = np.array([client.row_of(content, content) for content in GOLDEN.values()], dtype=np.int32)
    [tensor] = request["inputs"]
    assert (tensor["name"], tensor["datatype"], tensor["shape"]) == ("bytes", "INT32", list(rows.shape))
    assert tensor["data"] == rows.ravel().tolist()
    [expected] = request["outputs"]
    scores = np.array(expected["data"]).reshape(expected["shape"])
    np.testing.assert_allclose(scores, scores_of(session, rows), atol=1e-5)
    assert [classes[int(row.argmax())] for row in scores] == list(GOLDEN)


# What the model takes of a file ----------------------------------------------------------------


def test_the_client_takes_of_a_file_what_the_packages_configuration_says() -> None:
    says = json.loads((MAGIKA.parent / "config.min.json").read_text(encoding="utf-8"))
    assert (says["beg_size"], says["mid_size"], says["end_size"]) == (client.TAKEN, 0, client.TAKEN)
    assert (says["block_size"], says["padding_token"]) == (client.BLOCK, client.NOTHING)
    assert (says["min_file_size_for_dl"], says["use_inputs_at_offsets"]) == (client.SHORTEST, False)


@given(st.binary(max_size=3 * client.BLOCK))
def test_a_row_holds_the_bytes_of_either_end_and_where_there_are_none_nothing(content: bytes) -> None:
    row = client.row_of(content[: client.BLOCK], content[-client.BLOCK :])
    begin, end = content[: client.BLOCK].lstrip(), content[-client.BLOCK :].rstrip()
    assert row[: client.TAKEN] == [*begin[: client.TAKEN], *[client.NOTHING] * (client.TAKEN - len(begin))]
    assert row[client.TAKEN :] == [*[client.NOTHING] * (client.TAKEN - len(end)), *end[-client.TAKEN :]]


# The client ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def service(session: onnxruntime.InferenceSession, classes: tuple[str, ...]) -> Iterator[str]:
    """Serve the model over HTTP as the stack does, and yield the URL."""

    def answer(request: Request) -> Response:
        rows = json.loads(request.body)["instances"]
        assert len(rows) <= client.BATCH_ROWS
        scores = scores_of(session, np.array(rows, dtype=np.int32))
        by_class = [dict(zip(classes, map(float, row), strict=True)) for row in scores]
        return json_response(
            200, {"predictions": [{"label": max(row, key=row.__getitem__), "scores": row} for row in by_class]}
        )

    with answering(answer) as url:
        yield url


@contextmanager
def answering(answer: Callable[[Request], Response]) -> Generator[str]:
    with HttpServer(answer, limit=10_000_000) as server:
        yield f"{server.url}/models/file_type/predict"


def written(folder: Path, **contents: bytes) -> list[Path]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def test_files_are_classified_by_their_content_in_order_however_many(service: str, tmp_path: Path) -> None:
    files = written(tmp_path, **{f"{kind[:3]}-{n}": content for n in range(15) for kind, content in GOLDEN.items()})
    results = client.tell(files, service)
    assert len(results) > client.BATCH_ROWS
    assert [(result.file, result.kind) for result in results] == list(zip(files, list(GOLDEN) * 15, strict=True))
    assert all(result.probability is not None and 0.5 < result.probability <= 1 for result in results)


def test_of_a_long_file_only_its_ends_are_read(service: str, tmp_path: Path) -> None:
    head, tail = CSV * 10, b"\n1,2,3" * 1000
    files = written(tmp_path, long=head + bytes(10_000_000) + tail, short=head + bytes(5000) + tail)
    long, short = client.tell(files, service)
    assert (long.kind, long.probability) == (short.kind, short.probability)


def test_a_file_that_cannot_be_asked_about_gets_the_reason_and_the_others_are_answered(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, short, table = written(tmp_path, empty=b"", short=b"a,b", table=CSV)
    code = client.main([*map(str, (empty, tmp_path / "nothing.txt", short, tmp_path, table)), "--url", service])
    printed = capsys.readouterr()
    lines = [line.split(maxsplit=1)[1].strip() for line in printed.out.splitlines()]
    assert lines[:4] == ["empty", "there is no such file", "too short to tell", "a folder"]
    assert re.fullmatch(r"CSV document +\d+\.\d %", lines[4])
    assert (code, printed.err) == (1, "")


def test_white_space_does_not_make_a_short_file_longer(service: str, tmp_path: Path) -> None:
    files = written(tmp_path, short=b" " * 50 + b"ab", blank=b"\n" * 9000, just=b" " * 50 + b"a,b,c\n1,")
    results = client.tell(files, service)
    assert [result.kind for result in results[:2]] == ["too short to tell"] * 2
    assert results[2].probability is not None


def test_a_pipe_cannot_be_read_and_the_reason_is_shown() -> None:
    reading, writing = os.pipe()
    try:
        [result] = client.tell([Path(f"/dev/fd/{reading}")], "http://127.0.0.1:9/nobody")
    finally:
        os.close(reading)
        os.close(writing)
    assert re.fullmatch("cannot be read: .*seek.*", result.kind)
    assert not result.readable


def test_empty_files_alone_are_no_mistake_and_need_no_request(tmp_path: Path) -> None:
    [empty] = written(tmp_path, empty=b"")
    assert client.main([str(empty), "--url", "http://127.0.0.1:9/nobody"]) == 0


def test_two_guesses_are_shown_where_one_is_not_likely() -> None:
    predictions = [{"label": "Lua", "scores": {"Awk": 0.3, "Lua": 0.45, "Perl source": 0.25}}]
    with answering(lambda _: json_response(200, {"predictions": predictions})) as url:
        [result] = client.tell([FOLDER / "NOTICE"], url)
    assert (result.kind, result.probability) == ("Lua, or Awk", 0.45)


def test_a_token_is_sent_as_bearer() -> None:
    seen: list[str | None] = []

    def answer(request: Request) -> Response:
        seen.append(request.header("authorization"))
        return json_response(403, {"message": "Forbidden"})

    with answering(answer) as url:
        for token in ("abc", None):
            with pytest.raises(client.Unanswered, match=r"answered 403: Forbidden$"):
                client.tell([FOLDER / "NOTICE"], url, token)
    assert seen == ["Bearer abc", None]


def test_a_token_does_not_follow_a_redirect_to_somebody_else() -> None:
    seen: list[tuple[str, str | None]] = []

    def elsewhere(request: Request) -> Response:
        seen.append(("elsewhere", request.header("authorization")))
        return json_response(403, {"message": "Forbidden"})

    with answering(elsewhere) as target:

        def here(request: Request) -> Response:
            seen.append(("here", request.header("authorization")))
            return json_response(302, {}, ("Location", target))

        with answering(here) as url, pytest.raises(client.Unanswered, match="403"):
            client.tell([FOLDER / "NOTICE"], url, "abc")
    assert seen == [("here", "Bearer abc"), ("elsewhere", None)]


@pytest.mark.parametrize("token", ["abc\n", "a\r\nx-other: b", "jeton-\u20ac"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(
    token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert client.main([str(FOLDER / "NOTICE"), "--url", "http://127.0.0.1:9/", "--token", token]) == 1
    error = capsys.readouterr().err
    assert error.startswith("the token is not valid; accepted: ")
    assert (token.strip() in error, error.count("\n")) == (False, 1)


def test_a_problem_is_shown_in_the_words_of_the_server_and_long_words_are_cut() -> None:
    faults = [Fault(field=f"instances[{n}].bytes", message="is missing; accepted: " + "x" * 40) for n in range(8)]
    document = Problem(400, "8 values are not accepted", faults=faults).document()
    documents = [{"errors": document.pop("errors"), **document}, {"error": "long " * 200}]
    responses = iter([json_response(400, body) for body in documents])
    with answering(lambda _: next(responses)) as url:
        for message in ("8 values are not accepted", "long " * 60 + "..."):
            with pytest.raises(client.Unanswered) as refused:
                client.tell([FOLDER / "NOTICE"], url)
            assert str(refused.value) == f"{url} answered 400: {message}"


def test_a_refusal_that_breaks_off_is_shown_by_its_status() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as request:
                head = b"".join(iter(request.readline, b"\r\n")).lower()
                request.read(int(head.split(b"content-length: ")[1].split()[0]))
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 99\r\n\r\n{")

        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(client.Unanswered, match=r"answered 502: Bad Gateway$"):
            client.tell([FOLDER / "NOTICE"], url)
        thread.join()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            json_response(503, {"title": "x", "detail": "file_type has no version yet"}),
            "answered 503: file_type has no version yet",
        ),
        (json_response(400, {"error": "inputs lacks b"}), "answered 400: inputs lacks b"),
        (Response(502, [("content-type", "text/html")], b"<h1>Bad Gateway</h1>"), "answered 502: <h1>Bad Gateway</h1>"),
        (json_response(200, {"predictions": []}), "answered something else than predictions"),
        (json_response(200, [1, 2]), "answered something else than predictions"),
        (json_response(200, {"predictions": [{"label": "benign"}]}), "answered something else than predictions"),
        (
            Response(200, [("content-type", "text/html")], b"<h1>Welcome</h1>"),
            "answered something else than predictions",
        ),
    ],
)
def test_a_service_that_does_not_answer_is_reported_in_one_sentence(
    answer: Response, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(lambda _: answer) as url:
        assert client.main([str(FOLDER / "NOTICE"), "--url", url]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{url} {reason}")
    assert (printed.out, printed.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/ does not answer: "),
        ("127.0.0.1:8400", "127.0.0.1:8400 is no URL of a model; accepted: http://... or https://..."),
        ("file:///etc/hosts", "file:///etc/hosts is no URL of a model"),
        ("http://[::1/x", "http://[::1/x is no URL of a model"),
        ("http://127.0.0.1:9/\u00e9", "http://127.0.0.1:9/\u00e9 is no URL of a model"),
    ],
)
def test_a_service_that_is_away_is_reported_in_one_sentence(
    url: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert client.main([str(FOLDER / "NOTICE"), "--url", url]) == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1


def test_the_stack_that_is_up_is_found_and_without_one_there_is_a_message(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs: dict[str, Any] = {"models": {"file_type": {"predict": service}}}
    monkeypatch.setattr(client, "OUTPUTS", tmp_path / "outputs.json")
    assert client.main([str(FOLDER / "NOTICE")]) == 1
    assert "run `make up`, or pass --url" in capsys.readouterr().err
    (tmp_path / "outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
    assert client.main([str(FOLDER / "NOTICE")]) == 0
    assert "NOTICE" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "{", "[]", '{"models": null}', "\udcff"])
def test_outputs_that_cannot_be_read_are_reported_in_one_sentence(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = tmp_path / "outputs.json"
    outputs.write_bytes(content.encode(errors="surrogateescape"))
    monkeypatch.setattr(client, "OUTPUTS", outputs)
    assert client.main([str(FOLDER / "NOTICE")]) == 1
    error = capsys.readouterr().err
    assert error == f"{outputs} does not hold the outputs of a stack: run `make up` again, or pass --url\n"
