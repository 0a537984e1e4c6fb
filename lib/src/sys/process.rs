//! Processes that are ours to signal: by pidfd, with their start time, never by name.
