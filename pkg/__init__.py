"""What two services share, and nothing else."""
