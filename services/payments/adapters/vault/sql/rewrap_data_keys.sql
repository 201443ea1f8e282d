-- Replaces wrapped data keys by the same ones wrapped anew, unless somebody else has done so.
WITH done AS (
  UPDATE data_keys k SET wrapped = n.anew
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS n (merchant_id, id, wrapped, anew)
  WHERE k.merchant_id = n.merchant_id AND k.id = n.id AND k.wrapped = n.wrapped
  RETURNING 1
)
SELECT count(*) FROM done
