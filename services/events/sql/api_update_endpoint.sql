-- Changes what is given (not null) of an endpoint. What changes nothing leaves its time alone.
UPDATE webhook_endpoints SET
  url = coalesce($3, url),
  event_types = coalesce($4::text[], event_types),
  status = coalesce($5, status),
  description = coalesce($6, description),
  update_time = CASE
    WHEN ($3 <> url OR $4::text[] <> event_types OR $5 <> status OR $6 <> description)
      THEN (SELECT gateway_now($1))
    ELSE update_time
  END
WHERE merchant_id = $1 AND id = $2
RETURNING *
