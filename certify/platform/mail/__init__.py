"""Mail that leaves with the act it tells of: a row in the same transaction, sent by a job."""
