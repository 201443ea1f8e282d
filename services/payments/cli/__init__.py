"""The operator's command, `./paygate`: a client of the admin API."""
