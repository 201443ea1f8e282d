"""The configuration of production with the files of this machine, to be checked and tested."""

from pathlib import Path
from typing import Any

import yaml

from tools.stack.envoy import FILES, PRODUCTION

SECRETS = PRODUCTION.parent / "sds"


def rehearsed(*, tls: Path, folder: Path) -> dict[str, Any]:
    """Return what production.yaml says, with files that are here.

    Args:
        tls: Stands for /etc/paygate/tls.
        folder: An empty one, for the files that tell Envoy of the certificates.
    """
    here = {"/etc/paygate/tls": tls, "/etc/envoy/sds": folder, **FILES}
    for source in SECRETS.glob("*.yaml"):
        (folder / source.name).write_text(_moved(source.read_text(), here))
    config: dict[str, Any] = yaml.safe_load(_moved(PRODUCTION.read_text(), here))
    return config


def _moved(text: str, here: dict[str, Path]) -> str:
    for path, place in here.items():
        text = text.replace(path, str(place))
    return text
