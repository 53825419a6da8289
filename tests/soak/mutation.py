"""
Answers that are almost right: recorded and made-up ones, damaged at random.

Damage is done to the bytes, to the tree that they mean, to the status and to the headers, so that
some answers stay valid, some are wrong in one place, and some are rubbish.
"""

import copy
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

from openrouter_rerank._attempt import Request, Response

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
    """A request, as far as its answer depends on it, and the answer."""

    request: Request
    response: Response


def exchange(body, *, documents, results=None, status=200, headers=None):
    """Put an exchange together; `body` is bytes, or JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    results = documents if results is None else results
    request = Request(body=b"", model="the/slug", documents=documents, results=results)
    return Exchange(request, Response(status=status, headers=headers or {}, body=content))


def recorded():
    """The exchanges among the fixtures."""
    for file in sorted(FIXTURES.glob("response-*.json")):
        body = file.read_bytes()
        indexes = [row["index"] for row in json.loads(body)["results"]]
        yield exchange(body, documents=max(indexes) + 1, results=len(indexes))
    for file in sorted(FIXTURES.glob("error-*.json")):
        told = json.loads(file.read_bytes())
        body = told["body"].encode() if isinstance(told["body"], str) else told["body"]
        yield exchange(body, documents=2, status=told["status"], headers=told["headers"])


def generated(chance, count):
    """Valid answers of many sizes, with and without echoes, usage and `top_n`."""
    for _ in range(count):
        documents = chance.choice([1, 2, 3, 5, 12])
        results = chance.randint(1, documents)
        order = chance.sample(range(documents), results)
        rows = [
            {"index": index, "relevance_score": chance.choice([0, 0.5, chance.random(), -2.5])}
            | chance.choice([{}, {"document": {"text": "Köln \U0001f5fc"}}, {"document": None}])
            for index in order
        ]
        told = chance.choice([{}, {"id": "gen-1", "model": "m", "provider": "P", "error": None}])
        usage = chance.choice([{}, {"usage": {"cost": 0.001, "search_units": 1}}])
        body = {"results": rows, **told, **usage}
        yield exchange(body, documents=documents, results=results)


def damage_bytes(chance, body):
    """Change, drop, repeat or insert a few bytes in one place."""
    at = chance.randrange(len(body) + 1)
    end = min(len(body), at + chance.choice([1, 1, 2, 8, 40]))
    match chance.randrange(5):
        case 0:
            return body[:at] + chance.choice(TOKENS) + body[end:]
        case 1:
            return body[:at] + body[end:]
        case 2:
            return body[:at] + body[at:end] * chance.choice([2, 3, 50]) + body[end:]
        case 3:
            return body[:at]
        case _:
            return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]


def damage_tree(chance, tree):
    """Change one node of a JSON tree, in place: another value, one less, one twice, new order."""
    node = tree
    # Down to any depth, with the same chance of stopping at each.
    while (inner := _children(node)) and chance.random() < 0.7:
        node = chance.choice(inner)
    if isinstance(node, dict) and node:
        _damage_object(chance, node)
    elif isinstance(node, list) and node:
        _damage_list(chance, node)


def _damage_object(chance, node):
    key = chance.choice(list(node))
    match chance.randrange(4):
        case 0:
            del node[key]
        case 1:
            node[chance.choice(["results", "error", "index", "usage", "message"])] = node[key]
        case _:
            node[key] = copy.copy(chance.choice(VALUES))


def _damage_list(chance, node):
    at = chance.randrange(len(node))
    match chance.randrange(5):
        case 0:
            del node[at]
        case 1:
            node.append(node[at])
        case 2:
            chance.shuffle(node)
        case 3:
            node.reverse()
        case _:
            node[at] = copy.copy(chance.choice(VALUES))


def _children(node):
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [child for child in inner if isinstance(child, dict | list) and child]


def mutated(chance, original):
    """Damage a copy of an exchange in one place or in a few."""
    response = original.response
    status, headers, body = response.status, response.headers, response.body
    kinds = chance.choice(["tree", "tree", "bytes", "tree bytes", "bytes bytes", "head", "all"])
    if "tree" in kinds or kinds == "all":
        body = _tree_damaged(chance, body)
    for _ in range(kinds.count("bytes") or kinds == "all"):
        body = damage_bytes(chance, body)
    if kinds in {"head", "all"}:
        name = chance.choice(list(HEADERS))
        headers = headers | {name: chance.choice(HEADERS[name])}
        status = chance.choice([status, status, *STATUSES, chance.randint(100, 999)])
    changed = Response(status=status, headers=headers, body=body, received=1.7e9)
    return replace(original, response=changed)


def _tree_damaged(chance, body):
    try:
        tree = json.loads(body)
    except ValueError:
        return body
    for _ in range(chance.choice([1, 1, 2, 4])):
        damage_tree(chance, tree)
    return json.dumps(tree, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
