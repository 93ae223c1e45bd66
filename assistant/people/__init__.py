"""Who uses the assistant: accounts, roles, sign-in, limits, and the audit log of what was done."""
