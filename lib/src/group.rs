//! Resource groups: `/etc/ims/groups/<GROUP>.toml`, as ims-group(5) describes them.
