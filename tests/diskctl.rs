//! `ims-diskctl` on real ext4 file systems shared by two nodes.
