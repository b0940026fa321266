"""Sockets and the threads that use them."""
