//! Control groups (v2): the surest way to know which processes belong to an instance.
