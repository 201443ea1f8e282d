-- The first ten characters of an id that was made in that millisecond; see pkg/ids.py.
CREATE OR REPLACE FUNCTION pg_temp.time_digits(ms bigint) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
  SELECT string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', ((ms >> shift) & 31)::int + 1, 1), '' ORDER BY shift DESC)
  FROM generate_series(0, 45, 5) AS shift
$$;
