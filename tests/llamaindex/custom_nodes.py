"""Node classes of users: with few methods, with other image fields, or with methods that fail."""

from llama_index.core.schema import BaseNode, MetadataMode


class CustomNode(BaseNode):
    """A user's node class, with only the methods that LlamaIndex requires."""

    content: object = "custom"

    @classmethod
    def get_type(cls):
        """Return a type that LlamaIndex does not know."""
        return "custom"

    def get_content(self, metadata_mode=MetadataMode.ALL):
        """Return the field `content`."""
        return self.content

    def get_content_blocks(self, metadata_mode=MetadataMode.ALL):
        """Fail, because conversion must not call it."""
        raise AssertionError

    def set_content(self, value):
        """Fail, because conversion must not call it."""
        raise AssertionError

    @property
    def hash(self):
        """Return a constant."""
        return "hash"


class CustomImageNode(CustomNode):
    """A user's node with the fields that LlamaIndex's image nodes have."""

    image: object = None
    image_url: object = None
    image_path: object = None
    image_mimetype: object = None


class FailingNode(CustomNode):
    """A user's node whose methods and properties fail."""

    def get_content(self, metadata_mode=MetadataMode.ALL):
        """Fail with a message that contains the text."""
        message = "the secret text"
        raise LookupError(message)

    @property
    def image_resource(self):
        """Fail."""
        raise RuntimeError

    @property
    def image(self):
        """Fail."""
        raise RuntimeError


class CustomResource:
    """A user's media resource, which does not check its fields."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


class CustomResourceNode(CustomNode):
    """A user's node with a user's media resource."""

    image_resource: object = None
