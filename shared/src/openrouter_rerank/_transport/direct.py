"""Exchanges over connections of our own."""

from openrouter_rerank._attempt import Attempt, Response
from openrouter_rerank._wire.endpoint import Endpoint
from openrouter_rerank._wire.headers import EncodedHeaders
from openrouter_rerank.http_client import Headers

from .bounds import Body, Watch
from .pool import async_connections, connections


def exchanged(
    endpoint: Endpoint, headers: Headers, user: object, attempt: Attempt, watch: Watch
) -> Response:
    """Make one attempt over a connection that is kept for `user`, or over a new one."""
    kept = connections()
    channel, watch.reused = kept.take(endpoint.url, user, new=attempt.is_on_new_connection)
    body, answer = attempt.request.body, Body(attempt, watch)
    try:
        watch.check()
        channel.exchange(endpoint.url, _all_headers(endpoint, headers), body, answer)
    except BaseException:
        channel.close()
        raise
    kept.put(endpoint.url, channel, user)
    return answer.whole()


async def aexchanged(
    endpoint: Endpoint, headers: Headers, user: object, attempt: Attempt, watch: Watch
) -> Response:
    """Make one attempt over a connection that is kept for `user`, or over a new one."""
    kept = await async_connections()
    channel, watch.reused = await kept.take(endpoint.url, user, new=attempt.is_on_new_connection)
    body, answer = attempt.request.body, Body(attempt, watch)
    try:
        watch.check()
        await channel.exchange(endpoint.url, _all_headers(endpoint, headers), body, answer)
    except GeneratorExit:
        # The coroutine was closed, so nothing can be waited for any more.
        channel.abort()
        raise
    except BaseException:
        await channel.aclose()
        raise
    await kept.put(endpoint.url, channel, user)
    return answer.whole()


def _all_headers(endpoint: Endpoint, headers: Headers) -> EncodedHeaders:
    url, key = endpoint.url, endpoint.api_key
    host = (b"Host", url.split("/", 3)[2].encode())
    # The key gets no name here: a traceback would show it.
    if key is None:
        return EncodedHeaders((host, *headers))
    return EncodedHeaders((host, *headers, (b"Authorization", key.authorization().encode())))
