"""Refusals that only the operator can get. The docstring is the message."""

from pkg.errors import ApiError


class InvalidAdminTokenError(ApiError):
    """The admin token is missing or not valid."""

    reason = "INVALID_ADMIN_TOKEN"


class MerchantNotFoundError(ApiError):
    """There is no merchant with this id."""

    reason = "MERCHANT_NOT_FOUND"


class MerchantExistsError(ApiError):
    """There is a merchant with this id already."""

    reason = "MERCHANT_EXISTS"


class ApiKeyNotFoundError(ApiError):
    """There is no API key with this id."""

    reason = "API_KEY_NOT_FOUND"


class ApiKeyLimitError(ApiError):
    """The merchant has two live API keys: revoke one of them first."""

    reason = "API_KEY_LIMIT"


class ActionNotInDoubtError(ApiError):
    """There is no action with this id that is in doubt."""

    reason = "ACTION_NOT_IN_DOUBT"


class ActionNotStuckError(ApiError):
    """The action may still end by itself: it is not in doubt for an hour, or is being reversed."""

    reason = "ACTION_NOT_STUCK"


class VaultNotOpenError(ApiError):
    """The admin process has no access to the card vault: give it PAYGATE_VAULT_DATABASE_URL."""

    reason = "VAULT_NOT_OPEN"


class OldVaultKeysInUseError(ApiError):
    """Data keys are still wrapped by older versions, or the newest one is not a minute old."""

    reason = "OLD_VAULT_KEYS_IN_USE"


class ApiKeyEndedError(ApiError):
    """The API key works no more: make a new one."""

    reason = "API_KEY_ENDED"
