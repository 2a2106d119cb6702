"""`make bench`: how fast the program is, beside bare programs that do the least that such a request needs."""
