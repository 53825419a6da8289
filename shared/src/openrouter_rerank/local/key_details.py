"""
What the local service says of any key, in the format of OpenRouter's `GET /key`.
"""

from collections.abc import Mapping

KEY_DETAILS: Mapping[str, object] = {
    "data": {
        "label": "any key",
        "limit": None,
        "limit_remaining": None,
        "usage": 0,
        "byok_usage": 0,
        "budgets": [],
        "free_model_daily_requests": None,
        "is_free_tier": False,
        "expires_at": None,
    }
}
"""There is no account behind the key, so it has no limits, and nothing costs money."""
