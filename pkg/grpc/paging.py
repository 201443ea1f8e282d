"""Page tokens: the place where the page before ended, sealed by a keyed hash.

A token cannot be made up, and cannot be used for another merchant, another list or other filters.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from typing import Any

from pkg.errors import InvalidPageTokenError
from pkg.grpc.lists import BEGINNING, ListPosition, Page
from pkg.secret import KeyedHash, Secret

_SEAL_BYTES = 16


class PageTokens:
    """Seals and opens page tokens.

    Args:
        key: A secret, as hexadecimal digits; the tokens' own key is derived from it.
    """

    def __init__(self, key: Secret) -> None:
        secret = KeyedHash(bytes.fromhex(key.reveal()))
        self._hash = KeyedHash(secret.of(b"paygate page token v1"))

    def seal(self, merchant_id: str, scope: Sequence[str], place: str) -> str:
        """Return the token of a place in a list; `scope` names the list and its filters."""
        sealed = self._mac(merchant_id, scope, place) + place.encode()
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, merchant_id: str, scope: Sequence[str], token: str) -> str | None:
        """Return the place; None where there is no token.

        Raises:
            InvalidPageTokenError: It is not a token of this list.
        """
        if not token:
            return None
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars="-_", validate=True)
            place = raw[_SEAL_BYTES:].decode()
        except (binascii.Error, ValueError) as problem:
            raise InvalidPageTokenError from problem
        if not hmac.compare_digest(raw[:_SEAL_BYTES], self._mac(merchant_id, scope, place)):
            raise InvalidPageTokenError
        return place

    def open_place(self, merchant_id: str, scope: Sequence[str], token: str) -> ListPosition | None:
        """Return the place in a list that is sorted by the order of commits; raises as `open`."""
        place = self.open(merchant_id, scope, token)
        return None if place is None else ListPosition.parse(place)

    def after(
        self,
        merchant_id: str,
        scope: Sequence[str],
        page: Page[Any],
        place: ListPosition | None,
        *,
        follow: bool,
    ) -> str:
        """Return the token that goes on after a page; empty on the last one.

        Args:
            merchant_id: Whose list it is.
            scope: Names the list and its filters.
            page: What was found.
            place: Where the page began.
            follow: Whether the list goes on for ever, so that no page is the last one.
        """
        if not page.has_more and not follow:
            return ""
        return self.seal(merchant_id, scope, str(page.place or place or BEGINNING))

    def _mac(self, merchant_id: str, scope: Sequence[str], place: str) -> bytes:
        message = json.dumps([merchant_id, *scope, place]).encode()
        return self._hash.of(message)[:_SEAL_BYTES]
