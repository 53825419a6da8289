"""
The local scorer: OpenRouter's rerank wire protocol with a real scorer behind it, on this machine.

It needs no key and no network, and it always says that it is not OpenRouter. Nothing outside this
package and the command line imports it; it needs the extra `openrouter-rerank[local]`.
"""
