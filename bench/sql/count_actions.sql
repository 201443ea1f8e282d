-- How many actions of each type have succeeded since an id was made.
SELECT type, count(*) AS count
FROM actions
WHERE merchant_id = $1 AND id > $2 AND status = 'SUCCEEDED'
GROUP BY type
