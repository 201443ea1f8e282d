-- Where each shard of the payments is, and what the shards of all tables beside it are called; with those
-- of the tables that every node has in full.
SELECT
  shard.shardid AS id,
  shard.shardminvalue::bigint AS low, shard.shardmaxvalue::bigint AS high,
  node.nodename AS host, node.nodeport AS port,
  beside.tables, beside.shards, whole.tables AS whole_tables, whole.shards AS whole_shards
FROM pg_dist_shard shard
JOIN pg_dist_partition part USING (logicalrelid)
JOIN pg_dist_placement placement USING (shardid)
JOIN pg_dist_node node ON node.groupid = placement.groupid AND node.noderole = 'primary'
CROSS JOIN LATERAL (
  SELECT array_agg(c.relname::text) AS tables, array_agg(c.relname || '_' || s.shardid) AS shards
  FROM pg_dist_shard s
  JOIN pg_dist_partition p USING (logicalrelid)
  JOIN pg_class c ON c.oid = s.logicalrelid
  WHERE p.colocationid = part.colocationid AND s.shardminvalue = shard.shardminvalue
) beside
CROSS JOIN (
  SELECT array_agg(c.relname::text) AS tables, array_agg(c.relname || '_' || s.shardid) AS shards
  FROM pg_dist_shard s
  JOIN pg_dist_partition p USING (logicalrelid)
  JOIN pg_class c ON c.oid = s.logicalrelid
  WHERE p.partmethod = 'n' AND p.repmodel = 't'
) whole
WHERE shard.logicalrelid = 'payments'::regclass
ORDER BY low
