//! Man pages, completions and schemas are what the commands say of themselves.
