"""Who may do what: grants, tokens of daap's own, and those of an identity provider."""
