//! The kernel's table of listening sockets by `sock_diag(7)`, and who owns them.
