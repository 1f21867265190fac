"""Statistics of tables and networks; touches no disk."""
