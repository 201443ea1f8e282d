-- What this connection's login is and may do. $1: the role that it should have, '' for none.
-- It is what it can become that counts: SET ROLE takes but a word. A superuser can become everybody.
WITH reach AS (
  SELECT * FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER')
)
SELECT
  (SELECT bool_or(rolsuper) FROM reach) AS is_superuser,
  (SELECT bool_or(rolname = $1 AND pg_has_role(current_user, oid, 'USAGE')) FROM reach) AS has_role,
  array(
    SELECT power FROM reach, LATERAL (VALUES
      ('BYPASSRLS', rolbypassrls), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
      ('REPLICATION', rolreplication)) AS held (power, is_so)
    WHERE is_so GROUP BY power ORDER BY power
  ) AS powers,
  -- Other parts of the gateway, and what PostgreSQL has ready, such as pg_read_all_data. That the login
  -- is a member of what signs it in, for example at a cloud, is nobody's concern.
  array(
    SELECT rolname FROM reach
    WHERE rolname <> session_user AND rolname <> $1 AND rolname ~ '^(paygate|pg)_'
      AND rolname <> 'pg_database_owner'
    ORDER BY rolname
  ) AS other_roles,
  EXISTS (
    SELECT FROM pg_class c
    WHERE c.relowner IN (SELECT oid FROM reach)
      AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace::regnamespace::text !~ '^pg_'
  ) OR EXISTS (
    SELECT FROM pg_database
    WHERE datname = current_database() AND datdba IN (SELECT oid FROM reach)
  ) AS owns_tables,
  array(
    SELECT DISTINCT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE NOT c.relrowsecurity ORDER BY c.relname
  ) AS without_row_security
