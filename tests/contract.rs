//! What every command promises: exit statuses, records, an answer that cannot be printed.
