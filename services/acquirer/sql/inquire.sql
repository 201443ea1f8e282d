-- What became of a reference, be it an authorization's or an operation's.
SELECT status, decline_code, approval_code FROM authorizations WHERE reference = $1
UNION ALL
SELECT 'RECORDED', decline_code, approval_code FROM operations WHERE reference = $1
LIMIT 1;
