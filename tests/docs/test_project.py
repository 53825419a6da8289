"""What the two frameworks' documentation needs of us is complete and true."""

import importlib
import io
import re
import tomllib
from contextlib import redirect_stdout
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
import yaml
from langchain_core.documents import BaseDocumentCompressor
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from packaging.requirements import Requirement

from tests.docs.fences import fences
from tests.docs.test_examples import lines

ROOT = Path(__file__).parents[2]
LANGCHAIN = ROOT / "docs/project/langchain-docs.md"
LLAMAINDEX = ROOT / "docs/project/llamaindex-docs.md"
LANGCHAIN_PACKAGE = "langchain-openrouter-rerank"
LLAMAINDEX_PACKAGE = "llamaindex-openrouter-rerank"
# The labels of LangChain's form "Integration listing", and the components that we can choose.
LABELS = [
    "Display or class name",
    "Language",
    "Component type",
    "PyPI package name",
    "npm package name",
    "Docs URL",
    "Source repository",
    "Short provider description",
    "Capability flags (optional)",
    "Confirmations",
]
MODULES = {
    "document_transformers": "langchain_openrouter_rerank",
    "middleware": "langchain_openrouter_rerank.middleware",
}


def contents(page, language):
    """Return the contents of the fences of `page` in this language."""
    return [fence.code for fence in fences(page) if fence.language == language]


def pages_for_upstream(page, language):
    """Return the fences of `page` that have fences themselves."""
    return [code for code in contents(page, language) if "```" in code]


def front_matter(text):
    """Return the front matter of a page."""
    return yaml.safe_load(text.split("---\n")[1])


UPSTREAM = {
    "langchain": pages_for_upstream(LANGCHAIN, "mdx"),
    "llamaindex": pages_for_upstream(LLAMAINDEX, "markdown"),
}


@pytest.fixture
def inner_fences(tmp_path):
    """Return a function that returns the fences of the pages for a framework."""

    def inner_fences(framework):
        page = tmp_path / "upstream.md"
        page.write_text("\n".join(UPSTREAM[framework]), "utf-8")
        return list(fences(page))

    return inner_fences


@pytest.mark.parametrize("framework", UPSTREAM)
def test_the_code_of_the_pages_runs(framework, inner_fences, key_in_environment):
    """The examples for each framework run in their order, and print what the pages show."""
    namespace = {"__name__": "example"}
    compared = 0
    output = ""
    for fence in inner_fences(framework):
        if fence.language == "python":
            printed = io.StringIO()
            with redirect_stdout(printed):
                exec(fence.code, namespace)  # noqa: S102
            output = printed.getvalue()
        elif fence.language == "text":
            assert lines(output) == lines(fence.code)
            compared += 1

    assert compared >= 2


@pytest.mark.parametrize("framework", UPSTREAM)
def test_the_options_in_comments_exist(framework, inner_fences):
    """Each option that a comment of the pages shows is an option of the class."""
    module = importlib.import_module(f"{framework}_openrouter_rerank")
    shown = [
        name
        for fence in inner_fences(framework)
        for name in re.findall(r"^ +# (\w+)=", fence.code, re.MULTILINE)
    ]

    assert set(shown) <= set(module.OpenRouterRerank.model_fields)
    assert shown or framework == "llamaindex"


@pytest.mark.parametrize(
    ("page", "package"), [(LANGCHAIN, LANGCHAIN_PACKAGE), (LLAMAINDEX, LLAMAINDEX_PACKAGE)]
)
def test_the_install_lines_name_the_package(page, package):
    """Each install line installs the package, with extras that it has."""
    text = page.read_text("utf-8")
    names = re.findall(r"(?:pip install(?: -U)?|uv add) \"?([\w\[\]-]+)", text)

    for requirement in map(Requirement, names):
        assert requirement.name == package
        assert requirement.extras <= set(
            distribution(package).metadata.get_all("Provides-Extra") or ()
        )
    assert len(names) > 1
    assert any(each.startswith("openrouter-rerank") for each in requires(package))


def sections(form):
    """Return the values of a filled form by their labels."""
    parts = re.split(r"^### (.+)$", form, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))


FORMS = [sections(code) for code in contents(LANGCHAIN, "markdown")]


@pytest.mark.parametrize("form", FORMS, ids=[form["Component type"] for form in FORMS])
def test_the_forms_for_langchain_are_complete(form):
    """A form has all labels of LangChain's form, our package, and a class that can be imported."""
    assert list(form) == LABELS
    assert form["Language"] == "Python"
    assert form["PyPI package name"] == LANGCHAIN_PACKAGE
    assert form["Docs URL"] == f"https://pypi.org/project/{LANGCHAIN_PACKAGE}/"
    assert form["Confirmations"].startswith("- [x] ")
    module = importlib.import_module(MODULES[form["Component type"]])
    assert callable(getattr(module, form["Display or class name"]))


def test_the_rows_for_langchain_agree_with_the_forms():
    """The rows that the workflow writes have the names, packages and texts of the forms."""
    external, packages = map(yaml.safe_load, contents(LANGCHAIN, "yaml"))

    rows = {component: row for component, [row] in external["python"].items()}
    assert set(rows) == {form["Component type"] for form in FORMS} == set(MODULES)
    for form in FORMS:
        row = rows[form["Component type"]]
        assert row["name"] == form["Display or class name"]
        assert row["pypi"] == form["PyPI package name"]
        assert row["docs_url"] == form["Docs URL"]
        assert (
            row.get("available", form["Short provider description"][:-1])
            == (form["Short provider description"][:-1])
        )
    [package] = packages["packages"]
    assert package["name"] == LANGCHAIN_PACKAGE
    assert package["repo"] == FORMS[0]["Source repository"] == "OWNER/REPOSITORY"
    assert (ROOT / package["path"] / "pyproject.toml").is_file()


def test_the_page_for_langchain_replaces_the_row():
    """The front matter of the page has the name and the package of the row."""
    [page] = UPSTREAM["langchain"]
    [row] = yaml.safe_load(contents(LANGCHAIN, "yaml")[0])["python"]["document_transformers"]

    assert front_matter(page)["integration"] == {"name": row["name"], "pypi": row["pypi"]}
    assert {"title", "description"} <= set(front_matter(page))


def test_the_metadata_for_llamahub_agrees_with_the_package():
    """The metadata on the page are those of the package, and name classes that can be imported."""
    [shown] = map(tomllib.loads, contents(LLAMAINDEX, "toml"))
    file = ROOT / "packages/llamaindex_openrouter_rerank/pyproject.toml"
    metadata = shown["tool"]["llamahub"]

    assert metadata == tomllib.loads(file.read_text("utf-8"))["tool"]["llamahub"]
    module = importlib.import_module(metadata["import_path"])
    for name in metadata["class_authors"]:
        assert issubclass(getattr(module, name), BaseNodePostprocessor)


def test_the_link_for_llamaindex_leads_to_the_page():
    """The link and the section lead to the path under which the page will be."""
    text = LLAMAINDEX.read_text("utf-8")
    [path] = re.findall(r"^`(community/integrations/\w+)\.md` is a new file", text, re.MULTILINE)

    assert text.count(f"(/python/framework/{path})") == 2


def test_the_classes_are_what_the_pages_say():
    """The classes are a document compressor of LangChain and a node postprocessor of LlamaIndex."""
    langchain, llamaindex = (
        importlib.import_module(f"{framework}_openrouter_rerank").OpenRouterRerank
        for framework in UPSTREAM
    )

    assert issubclass(langchain, BaseDocumentCompressor)
    assert issubclass(llamaindex, BaseNodePostprocessor)
