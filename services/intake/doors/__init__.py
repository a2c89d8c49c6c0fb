"""Where the outside comes in: HTTP, SMTP and the `inbound.*` topics."""
