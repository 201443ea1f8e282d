-- Makes a rule, unless the merchant has $18 already.
INSERT INTO rules (
    id, merchant_id, verb, minor_units_min, minor_units_max, currency, brand, last4,
    reference_prefix, effect, decline_code, delay_ms, jitter_ms, times, percent, active_from,
    active_until
)
SELECT
    $1::text, $2::text, $3::text, $4::bigint, $5::bigint, $6::text, $7::text, $8::text,
    $9::text, $10::text, $11::text, $12::bigint, $13::bigint, $14::bigint, $15::bigint,
    $16::timestamptz, $17::timestamptz
WHERE (SELECT count(*) FROM rules WHERE merchant_id = $2) < $18::bigint
RETURNING *;
