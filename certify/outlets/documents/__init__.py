"""The papers of a case: what each holds (content), how Word and PDF show it (writers), and which bytes were sent (documents)."""
