-- How many authorizations a peer has stored since an id was made.
SELECT 'AUTHORIZE' AS type, count(*) AS count
FROM outbox
WHERE id > $1
