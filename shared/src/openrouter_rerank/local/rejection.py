"""
The error for a request that the local service does not rank, in OpenRouter's format.
"""


class RequestRejectedError(Exception):
    """The request gets an error response. `LocalOpenRouter` catches it; no user sees it."""

    def __init__(self, code: int, message: str, *, status: int | None = None) -> None:
        """
        Set the content of the error response.

        Args:
            code: The code in the body.
            message: What is wrong, and with which field or value.
            status: The HTTP status. By default, the code.
        """
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = code if status is None else status

    def body(self) -> dict[str, object]:
        """Return the body of the response, in OpenRouter's format."""
        return {"error": {"message": self.message, "code": self.code}}
