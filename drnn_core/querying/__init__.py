"""Questions about a run's records, asked of a table in memory or of the Parquet files.

Both answer alike: a run of a few hundred thousand images is kept in memory and answers in
milliseconds, a larger one stays on the disk and is counted by DuckDB.
"""
