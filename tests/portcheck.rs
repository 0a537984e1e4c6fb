//! `ims-portcheck` on configurations and live sockets.
