"""
Why a request is not ranked, in OpenRouter's envelope.
"""


class RefusedError(Exception):
    """An answer without a ranking. Never leaves the service."""

    def __init__(self, code: int, message: str, *, status: int | None = None) -> None:
        """
        Prepare the answer.

        Args:
            code: The code inside the envelope.
            message: What is wrong, and with what.
            status: The HTTP status, where it is not the code.
        """
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = code if status is None else status

    def envelope(self) -> dict[str, object]:
        """Put it as OpenRouter does."""
        return {"error": {"message": self.message, "code": self.code}}
