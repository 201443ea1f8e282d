"""Where requests go, and what every one of them carries."""

import re

import httpx2

from paygate_client._sending import VERSION, VISIBLE


def headers_for(url: str, api_key: str) -> dict[str, str]:
    """Return the headers of every request to an address.

    Raises:
        ValueError: The address is not one of HTTP, or the key is no API key.
    """
    if not _is_address(url):
        raise ValueError(
            "the address is https:// or http:// and a host, with neither a query nor a user"
        )
    if not VISIBLE.fullmatch(api_key):
        raise ValueError("an API key has 1 to 255 visible ASCII characters")
    return {
        "authorization": f"Bearer {api_key}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"paygate-client/{VERSION} python",
    }


def _is_address(url: str) -> bool:
    """Whether requests can be made to it. A name and password in it would replace the API key."""
    if not re.fullmatch(r"https?://[!-~]+", url) or re.search("[?#@]", url):
        return False
    try:
        parts = httpx2.URL(url)
        parts.host.encode("idna")
    except (httpx2.InvalidURL, UnicodeError):
        return False
    # A port that is too large would become another one on its way.
    return bool(parts.host) and (parts.port is None or 0 < parts.port < 65_536)
