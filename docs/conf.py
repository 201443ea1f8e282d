"""How `make docs` makes a site of this folder: Sphinx, with what its pages need and nothing more.

Pages are Markdown and read well where they lie, too. What leads out of this folder, to a file of
the repository, is no page of the site: such links are written as code instead.
"""

project = "paygate"
author = "the paygate authors"
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "paygate"
html_copy_source = False
html_show_sphinx = False
nitpicky = True
