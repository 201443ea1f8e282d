-- Has a merchant that was visited visited again, behind those that wait for it.
UPDATE sandbox_clocks SET visit_time = clock_timestamp() - $2::interval WHERE merchant_id = $1
