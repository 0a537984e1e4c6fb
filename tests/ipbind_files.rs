//! `ims-ipbind set`, `show` and `restore` on real configuration files.
