//! `ims-ipbind up`, `down` and `look` on real interfaces between namespaces.
