//! Lossless editors of the servers' configuration files: parse, change one setting, print; every other byte stays.
