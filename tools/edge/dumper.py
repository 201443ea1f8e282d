"""How generated YAML is written."""

import yaml


class Dumper(yaml.SafeDumper):
    """Indents lists, as yamllint wants them, and leaves lines of a script as lines."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # the signature is PyYAML's
        """Ignore `indentless`."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, _text)
