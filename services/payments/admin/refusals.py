"""The one table from the admin API's errors to what the operator gets."""

import grpc

from pkg import errors
from pkg.grpc.refusals import SHARED_CODES, Codes, Refusal, refusal
from services.payments.admin import errors as own

_Code = grpc.StatusCode
# API keys, their scopes and limits are for merchants; the operator has a token.
_OF_MERCHANTS = {
    errors.InvalidApiKeyError,
    errors.MissingApiKeyError,
    errors.InsufficientScopeError,
    errors.RateLimitedError,
}

CODES: Codes = {
    **{kind: code for kind, code in SHARED_CODES.items() if kind not in _OF_MERCHANTS},
    own.InvalidAdminTokenError: _Code.UNAUTHENTICATED,
    own.MerchantNotFoundError: _Code.NOT_FOUND,
    own.MerchantExistsError: _Code.ALREADY_EXISTS,
    own.ApiKeyNotFoundError: _Code.NOT_FOUND,
    own.ApiKeyLimitError: _Code.FAILED_PRECONDITION,
    own.ActionNotInDoubtError: _Code.NOT_FOUND,
    own.ActionNotStuckError: _Code.FAILED_PRECONDITION,
    own.VaultNotOpenError: _Code.FAILED_PRECONDITION,
    own.OldVaultKeysInUseError: _Code.FAILED_PRECONDITION,
    own.ApiKeyEndedError: _Code.FAILED_PRECONDITION,
}


def refusal_of(problem: Exception) -> Refusal | None:
    """Return what the operator is told; None for anything that is not a refusal but a bug."""
    return refusal(problem, CODES)
