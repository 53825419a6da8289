"""
Says when a local scorer has answered in place of a model of OpenRouter.
"""

from openrouter_rerank.evaluation.analysis.findings import Findings

_LOCAL = "local/"


def local_answers(findings: Findings) -> str | None:
    """Return which local scorers have answered, such as `answered by local/lexical`, or `None`."""
    uses = findings.uses
    served = {each for use in uses for each in use.served_models if each.startswith(_LOCAL)}
    if not served:
        return None
    # The service calls its provider "local scorer (not OpenRouter)".
    providers = {each for use in uses for each in use.providers if "local" in each}
    return f"answered by {', '.join([*sorted(served), *sorted(providers)])}"
