-- Where a merchant's last event is; events that others may still come before are left out.
SELECT commit_order, id
FROM outbox
WHERE merchant_id = $1
  AND commit_order >= 0
  AND commit_order < (SELECT commit_order_end('outbox'))
ORDER BY commit_order DESC, id DESC
LIMIT 1
