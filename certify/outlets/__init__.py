"""What people and programs look at: pages, documents, mail that reminds, the public register, the HTTP API."""
