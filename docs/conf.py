"""Sphinx: guides in Markdown, and an API reference read from the source without importing it."""

import ast
import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent


def _version() -> str:
    """`__version__` of the package, which need not be installed."""
    tree = ast.parse((ROOT / "beauty_evaluate" / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value))
    raise ValueError("beauty_evaluate/__init__.py has no __version__.")


project = "beauty_evaluate"
author = "beauty_evaluate contributors"
project_copyright = f"2026, {author}"
version = release = _version()

extensions = ["myst_parser", "sphinx.ext.napoleon", "autoapi.extension"]
exclude_patterns = ["_build"]
nitpicky = False  # annotations name types of other libraries, whose references are not loaded: no network is used
suppress_warnings = [
    "autoapi.python_import_resolution",  # constants set two in one line, `A, B = 1, 2`, importers do not find
    "ref.python",  # a word in the place of a type, such as `size`, is taken for the name of several attributes
]
toc_object_entries = False  # the navigation of every page would hold every function: twice the time
default_role = "code"  # docstrings mark names with single backticks

myst_heading_anchors = 3  # links to headings are checked against these
myst_enable_extensions = ["colon_fence"]

napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes in the docstring of a class, which are documented where they are defined too
napoleon_custom_sections = [("Source", "notes_style")]

autoapi_dirs = ["../beauty_evaluate"]
autoapi_root = "api"
autoapi_add_toctree_entry = False
autoapi_keep_files = False
autoapi_python_class_content = "both"
autoapi_member_order = "bysource"
autoapi_own_page_level = "module"
autoapi_ignore = ["*/cli/*", "*/__main__.py"]  # commands are no library
autoapi_options = ["members", "undoc-members", "show-inheritance", "show-module-summary"]

html_theme = "furo"  # fonts of the system, scripts and styles in the site itself
html_title = f"beauty_evaluate {release}"
html_show_sphinx = False
html_copy_source = False

ROOT_PAGES = {"architecture": "ARCHITECTURE.md", "contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md"}


def _read_root_page(app: Sphinx, page: str, source: list[str]) -> None:
    """A page of the repository's root as a page of the site, its links seen from here."""
    if page in ROOT_PAGES:
        text = (ROOT / ROOT_PAGES[page]).read_text(encoding="utf-8")
        for name, file in ROOT_PAGES.items():
            text = text.replace(f"]({file}", f"]({name}.md")
        source[0] = re.sub(r"\]\(docs/", "](", text)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _read_root_page)
