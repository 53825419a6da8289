from tests.local.asking import DOCUMENTS, PAYLOAD, QUERY, asked, rerank


def test_requests_are_kept_as_sent(stage, client):
    """Method, path, headers in lower case and the body of each request can be looked at."""
    client.post("/rerank?a=b", json=PAYLOAD | {"top_n": 2}, headers={"X-Title": "app"})

    [request] = stage.requests
    assert (request.method, request.path, request.number) == (
        "POST",
        "/api/v1/rerank?a=b",
        1,
    )
    assert request.headers["x-title"] == "app"
    assert request.headers["authorization"] == f"Bearer {stage.api_key}"
    assert request.json == PAYLOAD | {"top_n": 2}
    assert (request.model, request.query, request.top_n) == (PAYLOAD["model"], QUERY, 2)
    assert request.documents == request.texts == DOCUMENTS


def test_repeated_headers_are_joined(stage, client):
    """A header that came twice is kept with a comma between its values."""
    client.post("/rerank", json=PAYLOAD, headers=[("x-a", "1"), ("X-A", "2")])

    assert stage.requests[0].headers["x-a"] == "1, 2"


def test_absent_fields_are_empty():
    """A request without fields reads as empty, not as an error."""
    request = asked(body=b"{}")

    assert (request.model, request.query, request.documents) == ("", "", [])
    assert (request.texts, request.top_n) == ([], None)


def test_texts_of_images_are_empty():
    """A document without text has an empty text."""
    request = asked(documents=["a", {"text": "b"}, {"image": "data:,"}, 7])

    assert request.texts == ["a", "b", "", ""]


def test_repr_shows_no_key(stage, client):
    """The repr of a request, as failing assertions print it, shows neither key nor body."""
    rerank(client)

    shown = repr(stage.requests[0])
    assert stage.api_key not in shown
    assert DOCUMENTS[0] not in shown


def test_snapshots_do_not_change(stage, client):
    """The list of requests is the caller's own."""
    before = stage.requests
    rerank(client)

    assert before == []
    stage.requests.clear()
    assert len(stage.requests) == 1
