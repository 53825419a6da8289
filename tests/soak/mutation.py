"""
Recorded and generated responses with random damage.

The damage is in the bytes, in the JSON tree, in the status or in the headers. So some responses
stay valid, some are wrong in one place, and some cannot be parsed at all.
"""

import copy
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

from openrouter_rerank._attempt import Request, Response

from tests.hostile_json import SHAPES

FIXTURES = Path(__file__).parents[1] / "wire" / "fixtures"

TOKENS = [
    *(b"NaN", b"-Infinity", b"1e999", b"-0.0", b"5e-324", b"9" * 400, b"1e-1", b"0x1", b"-1"),
    *(b"null", b"true", b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800"),
    *(b'"index":', b'"relevance_score":', b'"results":', b'"error":', b'{"code":200}', b"[" * 300),
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r\n", b"\x1b[2J", b"<title>", b"</"),
]
VALUES = [
    *(None, True, False, 0, 1, 2, -1, 0.0, -0.0, 0.5, 1.5, 10**30, 10**400, 5e-324, 1e308),
    *(math.nan, math.inf, -math.inf, "", "0", "0.5", "\x1b[2J\n", "\ud800", "\u2028", "x" * 400),
    *([], {}, [[]], {"index": 0}, {"code": 429}, {"code": "503"}, {"code": 1e999}, {"code": [400]}),
    *({"message": "no\nno"}, {"availability": {"retry_after": 3}}, {"cost": -1}, {"cost": "free"}),
]
TIMES = [
    *("0", "1", "7.5", "-1", "inf", "nan", "1e999", "\u0663", "9" * 400, "1.2.3", "+5", "", " 2 "),
    *("Wed, 21 Oct 2099 07:28:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 1970"),
    *("Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359", "soon", "\x00"),
]
HEADERS = {
    "retry-after": TIMES,
    "date": TIMES,
    "content-type": ["application/json", "text/html; charset=\u2028", "", "x" * 1000],
    "content-encoding": ["identity", "gzip", "", "IDENTITY", "br, identity"],
    "x-request-id": ["req-1", "a\nb", "\u2028", "x" * 1000],
    "cf-ray": ["0-AMS", "\x1b[2J"],
}
STATUSES = [
    *(200, 201, 204, 302, 400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 524, 529)
]


@dataclass(frozen=True)
class Exchange:
    """A response, and the parts of its request that decide whether it is valid."""

    request: Request
    response: Response


def exchange(body, *, documents, results=None, status=200, headers=None):
    """Return an exchange. `body` is bytes, or a value to write as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    results = documents if results is None else results
    request = Request(body=b"", model="the/slug", documents=documents, results=results)
    return Exchange(request, Response(status=status, headers=headers or {}, body=content))


def recorded():
    """Yield the exchanges of the fixtures."""
    for file in sorted(FIXTURES.glob("response-*.json")):
        body = file.read_bytes()
        indexes = [row["index"] for row in json.loads(body)["results"]]
        yield exchange(body, documents=max(indexes) + 1, results=len(indexes))
    for file in sorted(FIXTURES.glob("error-*.json")):
        error = json.loads(file.read_bytes())
        body = error["body"].encode() if isinstance(error["body"], str) else error["body"]
        yield exchange(body, documents=2, status=error["status"], headers=error["headers"])


def generated(rng, count):
    """Yield valid exchanges of many sizes, with and without documents, usage and `top_n`."""
    for _ in range(count):
        documents = rng.choice([1, 2, 3, 5, 12])
        results = rng.randint(1, documents)
        order = rng.sample(range(documents), results)
        rows = [
            {"index": index, "relevance_score": rng.choice([0, 0.5, rng.random(), -2.5])}
            | rng.choice([{}, {"document": {"text": "Köln \U0001f5fc"}}, {"document": None}])
            for index in order
        ]
        fields = rng.choice([{}, {"id": "gen-1", "model": "m", "provider": "P", "error": None}])
        usage = rng.choice([{}, {"usage": {"cost": 0.001, "search_units": 1}}])
        body = {"results": rows, **fields, **usage}
        yield exchange(body, documents=documents, results=results)


def hostile(rng, count):
    """Yield exchanges whose JSON is made to cost much, a little longer than what is always read."""
    for shape in rng.choices([*SHAPES.values()], k=count):
        yield exchange(shape.of_size(20_000), documents=1, status=rng.choice([200, 502]))


def damage_bytes(rng, body):
    """Change, delete, repeat or insert a few bytes in one place."""
    at = rng.randrange(len(body) + 1)
    end = min(len(body), at + rng.choice([1, 1, 2, 8, 40]))
    match rng.randrange(5):
        case 0:
            return body[:at] + rng.choice(TOKENS) + body[end:]
        case 1:
            return body[:at] + body[end:]
        case 2:
            return body[:at] + body[at:end] * rng.choice([2, 3, 50]) + body[end:]
        case 3:
            return body[:at]
        case _:
            return body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :]


def damage_tree(rng, tree):
    """Change one node of a JSON tree in place: replace, delete, repeat or reorder a child of it."""
    node = tree
    # At each depth, the probability of going deeper is the same.
    while (inner := _children(node)) and rng.random() < 0.7:
        node = rng.choice(inner)
    if isinstance(node, dict) and node:
        _damage_object(rng, node)
    elif isinstance(node, list) and node:
        _damage_list(rng, node)


def _damage_object(rng, node):
    key = rng.choice(list(node))
    match rng.randrange(4):
        case 0:
            del node[key]
        case 1:
            node[rng.choice(["results", "error", "index", "usage", "message"])] = node[key]
        case _:
            node[key] = copy.copy(rng.choice(VALUES))


def _damage_list(rng, node):
    at = rng.randrange(len(node))
    match rng.randrange(5):
        case 0:
            del node[at]
        case 1:
            node.append(node[at])
        case 2:
            rng.shuffle(node)
        case 3:
            node.reverse()
        case _:
            node[at] = copy.copy(rng.choice(VALUES))


def _children(node):
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [child for child in inner if isinstance(child, dict | list) and child]


def mutated(rng, original):
    """Return a copy of an exchange with damage in one place or in several."""
    response = original.response
    status, headers, body = response.status, response.headers, response.body
    kinds = rng.choice(["tree", "tree", "bytes", "tree bytes", "bytes bytes", "head", "all"])
    if "tree" in kinds or kinds == "all":
        body = _tree_damaged(rng, body)
    for _ in range(kinds.count("bytes") or kinds == "all"):
        body = damage_bytes(rng, body)
    if kinds in {"head", "all"}:
        name = rng.choice(list(HEADERS))
        headers = headers | {name: rng.choice(HEADERS[name])}
        status = rng.choice([status, status, *STATUSES, rng.randint(100, 999)])
    changed = Response(status=status, headers=headers, body=body, received=1.7e9)
    return replace(original, response=changed)


def _tree_damaged(rng, body):
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        return body
    for _ in range(rng.choice([1, 1, 2, 4])):
        damage_tree(rng, tree)
    return json.dumps(tree, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
