"""Who may do what: roles, people acting, and the one table that decides."""
