//! The nodes of the cluster: `/etc/ims/nodes.toml`, how each is reached and how it is fenced.
