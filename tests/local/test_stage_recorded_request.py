from tests.rerank_requests import DOCUMENTS, PAYLOAD, QUERY, recorded_request, rerank


def test_requests_are_recorded_as_sent(stage, client):
    """A recorded request has the method, the path, lower-case header names and the body."""
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
    """The values of a repeated header are joined with a comma."""
    client.post("/rerank", json=PAYLOAD, headers=[("x-a", "1"), ("X-A", "2")])

    assert stage.requests[0].headers["x-a"] == "1, 2"


def test_absent_fields_are_empty():
    """The fields of a request without fields are empty, and reading them raises no error."""
    request = recorded_request(body=b"{}")

    assert (request.model, request.query, request.documents) == ("", "", [])
    assert (request.texts, request.top_n) == ([], None)


def test_a_document_without_text_has_an_empty_text():
    """An image or an invalid document has an empty text."""
    request = recorded_request(documents=["a", {"text": "b"}, {"image": "data:,"}, 7])

    assert request.texts == ["a", "b", "", ""]


def test_repr_shows_no_key(stage, client):
    """The repr of a request, which failing assertions print, shows neither key nor body."""
    rerank(client)

    text = repr(stage.requests[0])
    assert stage.api_key not in text
    assert DOCUMENTS[0] not in text


def test_the_list_of_requests_is_a_copy(stage, client):
    """A list of requests does not change later, and changing it does not change the stage."""
    before = stage.requests
    rerank(client)

    assert before == []
    stage.requests.clear()
    assert len(stage.requests) == 1
